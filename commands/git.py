"""git:* - put source code into an app's repository, and deploy it."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, LiteralDashes, ReportWords
from lib import deploy
from lib.app import apps, reports
from lib.base.report import SHELL
from lib.source import archives, branches, commits

namespace = typer.Typer(help="Manage app deploys via git")

Url = Annotated[str, typer.Argument(metavar="<archive-url>")]
Name = Annotated[str, typer.Argument(metavar="[<git-username>]")]
Email = Annotated[str, typer.Argument(metavar="[<git-email>]")]
ArchiveType = Annotated[str, typer.Option("--archive-type", metavar="tar|tar.gz|zip")]
Key = Annotated[str, typer.Argument(metavar="<property>")]
Value = Annotated[str, typer.Argument(metavar="[<value>]")]
Everywhere = Annotated[bool, typer.Option("--global", help="for every app")]


@namespace.command("from-archive", cls=LiteralDashes)
def from_archive(
    app: App = "", url: Url = "", name: Name = "", email: Email = "", archive_type: ArchiveType = "tar"
) -> None:
    """Updates an app's git repository with a given archive file."""
    apps.verify_app_name(app)
    with archives.unpacked(url, archive_type) as tree:
        deploy.from_directory(app, tree, (name or commits.AUTHOR[0], email or commits.AUTHOR[1]))


@namespace.command("initialize")
def initialize(app: App = "") -> None:
    """Initialize a git repository for an app."""
    branches.initialize(apps.verify_app_name(app))


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a git report for one or more apps."""
    reports.show(words, format_, "git information", "git-", branches.rows, SHELL)


@namespace.command("set")
def set_(app: App = "", key: Key = "", value: Value = "", everywhere: Everywhere = False) -> None:
    """Set or clear a git property for an app."""
    branches.set_(*(("--global", app, key) if everywhere else (app, key, value)))

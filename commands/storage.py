"""storage:* - directories and volumes in an app's containers."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, ReportWords
from lib.app import reports, storage
from lib.base.report import SHELL
from lib.host import storage_directories

namespace = typer.Typer(help="Manage mounted volumes")

Name = Annotated[str, typer.Argument(metavar="<directory>")]
Owner = Annotated[str, typer.Option("--chown", metavar="OWNER")]
Spec = Annotated[str, typer.Argument(metavar="<host-dir:container-dir>")]


@namespace.command("ensure-directory")
def ensure_directory(name: Name = "", owner: Owner = "herokuish") -> None:
    """Creates a directory to mount, and gives it to the user of the app's containers."""
    storage_directories.ensure(name, owner)


@namespace.command("list")
def list_(app: App = "", format_: Format = "stdout") -> None:
    """List bind mounts for app's container(s) (host:container)."""
    storage.show(app, format_)


@namespace.command("mount")
def mount(app: App = "", spec: Spec = "") -> None:
    """Create a new bind mount."""
    storage.mount(app, spec)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a storage report for one or more apps."""
    reports.show(words, format_, "storage information", "storage-", storage.rows, SHELL)


@namespace.command("unmount")
def unmount(app: App = "", spec: Spec = "") -> None:
    """Remove an existing bind mount."""
    storage.unmount(app, spec)

"""releases:* - what an app has run, and going back to it."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, Global, Key, Owner, ReportWords, Value, addressed
from lib import deploy
from lib.app import apps, reports
from lib.runtime import release_reports

namespace = typer.Typer(help="Manage an app's releases, and go back to older ones")

Release = Annotated[str, typer.Argument(metavar="[<release>]")]
WithConfig = Annotated[bool, typer.Option("--with-config", help="with the variables of that release")]


@namespace.command("info")
def info(app: App = "", release: Release = "", format_: Format = "stdout") -> None:
    """Show what is known of a release, of the one that serves if none is named."""
    release_reports.info(apps.verify_app_name(app), release, format_)


@namespace.command("list")
def list_(app: App = "", format_: Format = "stdout") -> None:
    """List an app's releases, the oldest first."""
    release_reports.list_(apps.verify_app_name(app), format_)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a releases report for one or more apps."""
    general = release_reports.global_rows
    reports.show(words, format_, "releases information", "releases-", release_reports.rows, general=general)


@namespace.command("rollback")
def rollback(app: App = "", release: Release = "", with_config: WithConfig = False) -> None:
    """Serve an older release again without building, the last before this one if none is named."""
    deploy.rolled_back(apps.verify_app_name(app), release, with_config)


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a releases property for an app."""
    release_reports.set_(*addressed(owner, key, value, is_global))

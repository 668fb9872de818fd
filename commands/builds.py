"""builds:* - what an app's builds said, and how they ended."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, Global, Key, Owner, ReportWords, Value, addressed
from lib.app import apps, reports
from lib.base import log
from lib.build import record_reports, records

namespace = typer.Typer(help="Manage the records of builds")

Number = Annotated[str, typer.Argument(metavar="[<number>]")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="go on until the build ends")]


@namespace.command("cancel")
def cancel(app: App = "") -> None:
    """End the build of an app that is running, or a deploy without one."""
    log.info1(f"Cancelled {records.cancel(apps.verify_app_name(app))}")


@namespace.command("list")
def list_(app: App = "", format_: Format = "stdout") -> None:
    """List an app's builds, the oldest first."""
    record_reports.list_(apps.verify_app_name(app), format_)


@namespace.command("output")
def output(app: App = "", number: Number = "", follow: Follow = False) -> None:
    """Print what a build said, the last one if no number is given."""
    records.show(apps.verify_app_name(app), number, follow)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a builds report for one or more apps."""
    general = record_reports.global_rows
    reports.show(words, format_, "builds information", "builds-", record_reports.rows, general=general)


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a builds property for an app."""
    record_reports.set_(*addressed(owner, key, value, is_global))

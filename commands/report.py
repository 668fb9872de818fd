"""report - what host this is, or everything about one app."""

import typer

from commands._params import ANY_FLAG, ReportWords
from lib.host import report as reports

namespace = typer.Typer(help="Generate a report on this host or an app")


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None) -> None:
    """Generate a report on this host or an app."""
    reports.show(words or [])

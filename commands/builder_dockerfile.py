"""builder-dockerfile:* - where apps keep their Dockerfile."""

import functools

import typer

from commands._params import ANY_FLAG, Format, Global, Key, Owner, ReportWords, Value, addressed
from lib.app import reports
from lib.build import plans

namespace = typer.Typer(help="Manage the dockerfile builder integration for an app")


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a builder-dockerfile report for one or more apps."""
    rows = functools.partial(plans.rows, "dockerfile")
    general = functools.partial(plans.general_rows, "dockerfile")
    title = "builder-dockerfile information"
    reports.show(words, format_, title, "builder-dockerfile-", rows, general=general)


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a builder-dockerfile property for an app."""
    plans.set_path("dockerfile", *addressed(owner, key, value, is_global))

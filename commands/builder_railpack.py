"""builder-railpack:* - builds by railpack."""

import functools

import typer

from commands._params import ANY_FLAG, Format, Global, Key, Owner, ReportWords, Value, addressed
from lib.app import reports
from lib.build import plans

namespace = typer.Typer(help="Manage the railpack builder")


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a builder-railpack report for one or more apps."""
    rows, general = (
        functools.partial(plans.rows, "railpack"),
        functools.partial(plans.general_rows, "railpack"),
    )
    reports.show(words, format_, "builder-railpack information", "builder-railpack-", rows, general=general)


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a builder-railpack property for an app."""
    plans.set_path("railpack", *addressed(owner, key, value, is_global))

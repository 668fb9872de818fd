"""builder-nixpacks:* - builds by nixpacks."""

import functools

import typer

from commands._params import ANY_FLAG, Format, Global, Key, Owner, ReportWords, Value, addressed
from lib.app import reports
from lib.build import plans

namespace = typer.Typer(help="Manage the nixpacks builder")


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a builder-nixpacks report for one or more apps."""
    rows, general = (
        functools.partial(plans.rows, "nixpacks"),
        functools.partial(plans.general_rows, "nixpacks"),
    )
    reports.show(words, format_, "builder-nixpacks information", "builder-nixpacks-", rows, general=general)


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a builder-nixpacks property for an app."""
    plans.set_path("nixpacks", *addressed(owner, key, value, is_global))

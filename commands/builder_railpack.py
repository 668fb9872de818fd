"""builder-railpack:* - builds by railpack."""

import functools
from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, Key, ReportWords, Value
from lib.app import apps, config, reports
from lib.build import plans

namespace = typer.Typer(help="Manage the railpack builder")

Everywhere = Annotated[bool, typer.Option("--global", help="for every app")]


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a builder-railpack report for one or more apps."""
    rows, general = (
        functools.partial(plans.rows, "railpack"),
        functools.partial(plans.general_rows, "railpack"),
    )
    reports.show(words, format_, "builder-railpack information", "builder-railpack-", rows, general=general)


@namespace.command("set")
def set_(app: App = "", key: Key = "", value: Value = "", everywhere: Everywhere = False) -> None:
    """Set or clear a builder-railpack property for an app."""
    if everywhere:
        plans.set_path("railpack", config.GLOBAL, app, key)
    else:
        plans.set_path("railpack", apps.verify_app_name(app), key, value)

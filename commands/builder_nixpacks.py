"""builder-nixpacks:* - builds by nixpacks."""

import functools
from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, Key, ReportWords, Value
from lib.app import apps, config, reports
from lib.build import plans

namespace = typer.Typer(help="Manage the nixpacks builder")

Everywhere = Annotated[bool, typer.Option("--global", help="for every app")]


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a builder-nixpacks report for one or more apps."""
    rows, general = (
        functools.partial(plans.rows, "nixpacks"),
        functools.partial(plans.general_rows, "nixpacks"),
    )
    reports.show(words, format_, "builder-nixpacks information", "builder-nixpacks-", rows, general=general)


@namespace.command("set")
def set_(app: App = "", key: Key = "", value: Value = "", everywhere: Everywhere = False) -> None:
    """Set or clear a builder-nixpacks property for an app."""
    if everywhere:
        plans.set_path("nixpacks", config.GLOBAL, app, key)
    else:
        plans.set_path("nixpacks", apps.verify_app_name(app), key, value)

"""builder-pack:* - Cloud Native Buildpacks: builds by pack."""

import functools
from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, Key, ReportWords, Value
from lib.app import apps, config, reports
from lib.build import plans

namespace = typer.Typer(help="Manage the pack builder")

Everywhere = Annotated[bool, typer.Option("--global", help="for every app")]


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a builder-pack report for one or more apps."""
    rows = functools.partial(plans.rows, "pack")
    general = functools.partial(plans.general_rows, "pack")
    reports.show(words, format_, "builder-pack information", "builder-pack-", rows, general=general)


@namespace.command("set")
def set_(app: App = "", key: Key = "", value: Value = "", everywhere: Everywhere = False) -> None:
    """Set or clear a builder-pack property for an app."""
    if everywhere:
        plans.set_path("pack", config.GLOBAL, app, key)
    else:
        plans.set_path("pack", apps.verify_app_name(app), key, value)

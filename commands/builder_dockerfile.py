"""builder-dockerfile:* - where apps keep their Dockerfile."""

import functools
from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, Key, ReportWords, Value
from lib.app import apps, config, reports
from lib.build import plans

namespace = typer.Typer(help="Manage the dockerfile builder integration for an app")

Everywhere = Annotated[bool, typer.Option("--global", help="for every app")]


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a builder-dockerfile report for one or more apps."""
    rows = functools.partial(plans.rows, "dockerfile")
    general = functools.partial(plans.general_rows, "dockerfile")
    title = "builder-dockerfile information"
    reports.show(words, format_, title, "builder-dockerfile-", rows, general=general)


@namespace.command("set")
def set_(app: App = "", key: Key = "", value: Value = "", everywhere: Everywhere = False) -> None:
    """Set or clear a builder-dockerfile property for an app."""
    if everywhere:
        plans.set_path("dockerfile", config.GLOBAL, app, key)
    else:
        plans.set_path("dockerfile", apps.verify_app_name(app), key, value)

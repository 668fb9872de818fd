"""builder-herokuish:* - how the herokuish builder is used."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, ReportWords, Value
from lib.app import apps, reports
from lib.build import herokuish

namespace = typer.Typer(help="Manage the herokuish builder integration for an app")

Key = Annotated[str, typer.Argument(metavar="<key>")]
Everywhere = Annotated[bool, typer.Option("--global", help="for every app")]


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a builder-herokuish report for one or more apps."""
    title, rows, general = "builder-herokuish information", herokuish.rows, herokuish.general_rows
    reports.show(words, format_, title, "builder-herokuish-", rows, general=general)


@namespace.command("set")
def set_(app: App = "", key: Key = "", value: Value = "", everywhere: Everywhere = False) -> None:
    """Set or clear a builder-herokuish property for an app."""
    if everywhere:
        herokuish.set_("--global", app, key)
    else:
        herokuish.set_(apps.verify_app_name(app), key, value)

"""app-json:* - where an app keeps its app.json."""

import functools
from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, Key, ReportWords, Value
from lib.app import apps, config, reports, source_files

namespace = typer.Typer(help="Manage the app.json of apps")

Everywhere = Annotated[bool, typer.Option("--global", help="for every app")]


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays an app-json report for one or more apps."""
    rows = functools.partial(source_files.rows, source_files.APP_JSON)
    general = functools.partial(source_files.general_rows, source_files.APP_JSON)
    reports.show(words, format_, "app-json information", "app-json-", rows, general=general)


@namespace.command("set")
def set_(app: App = "", key: Key = "", value: Value = "", everywhere: Everywhere = False) -> None:
    """Set or clear an app-json property for an app."""
    if everywhere:
        source_files.set_path(source_files.APP_JSON, config.GLOBAL, app, key)
    else:
        source_files.set_path(source_files.APP_JSON, apps.verify_app_name(app), key, value)

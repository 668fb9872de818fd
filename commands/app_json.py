"""app-json:* - where an app keeps its app.json."""

import functools

import typer

from commands._params import ANY_FLAG, Format, Global, Key, Owner, ReportWords, Value, addressed
from lib.app import reports, source_files

namespace = typer.Typer(help="Manage the app.json of apps")


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays an app-json report for one or more apps."""
    rows = functools.partial(source_files.rows, source_files.APP_JSON)
    general = functools.partial(source_files.general_rows, source_files.APP_JSON)
    reports.show(words, format_, "app-json information", "app-json-", rows, general=general)


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear an app-json property for an app."""
    source_files.set_path(source_files.APP_JSON, *addressed(owner, key, value, is_global))

"""builder-herokuish:* - how the herokuish builder is used."""

import typer

from commands._params import ANY_FLAG, Format, Global, Key, Owner, ReportWords, Value, addressed
from lib.app import reports
from lib.build import herokuish

namespace = typer.Typer(help="Manage the herokuish builder integration for an app")


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a builder-herokuish report for one or more apps."""
    title, rows, general = "builder-herokuish information", herokuish.rows, herokuish.general_rows
    reports.show(words, format_, title, "builder-herokuish-", rows, general=general)


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a builder-herokuish property for an app."""
    herokuish.set_(*addressed(owner, key, value, is_global))

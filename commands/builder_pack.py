"""builder-pack:* - Cloud Native Buildpacks: builds by pack."""

import functools

import typer

from commands._params import ANY_FLAG, Format, Global, Key, Owner, ReportWords, Value, addressed
from lib.app import reports
from lib.build import plans

namespace = typer.Typer(help="Manage the pack builder")


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a builder-pack report for one or more apps."""
    rows = functools.partial(plans.rows, "pack")
    general = functools.partial(plans.general_rows, "pack")
    reports.show(words, format_, "builder-pack information", "builder-pack-", rows, general=general)


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a builder-pack property for an app."""
    plans.set_path("pack", *addressed(owner, key, value, is_global))

"""checks:* - what new containers must pass before they serve."""

from typing import Annotated

import typer

from commands._params import (
    ANY_FLAG,
    AllApps,
    App,
    Format,
    Global,
    Key,
    Owner,
    ReportWords,
    Value,
    Workers,
    addressed,
)
from lib.app import apps, batches, check_settings, reports
from lib.base.report import SHELL
from lib.runtime import checks

namespace = typer.Typer(help="Manage zero-downtime settings")

Types = Annotated[list[str] | None, typer.Argument(metavar="[<process>,...]")]


@namespace.command("disable")
def disable(app: App = "", types: Types = None) -> None:
    """Disable zero-downtime deployment for all processes (or comma-separated process-type list)."""
    check_settings.disable(apps.verify_app_name(app), types or [])


@namespace.command("enable")
def enable(app: App = "", types: Types = None) -> None:
    """Enable zero-downtime deployment for all processes (or comma-separated process-type list)."""
    check_settings.enable(apps.verify_app_name(app), types or [])


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a checks report for one or more apps."""
    general = check_settings.global_rows
    reports.show(words, format_, "checks information", "checks-", check_settings.rows, SHELL, general)


@namespace.command("run")
def run(app: App = "", types: Types = None, all_apps: AllApps = False, workers: Workers = 0) -> None:
    """Runs zero-downtime checks for all processes (or comma-separated process-type list)."""
    if all_apps:
        batches.each("checks", checks.run_if_deployed, app, all_apps, workers)
    else:
        checks.run(apps.verify_app_name(app), types or [])


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a checks property for an app."""
    check_settings.set_(*addressed(owner, key, value, is_global))


@namespace.command("skip")
def skip(app: App = "", types: Types = None) -> None:
    """Skip zero-downtime checks for all processes (or comma-separated process-type list)."""
    check_settings.skip(apps.verify_app_name(app), types or [])

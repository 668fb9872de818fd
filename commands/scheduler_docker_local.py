"""scheduler-docker-local:* - how our own scheduler starts containers."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, Key, ReportWords, Value
from lib.app import config, reports
from lib.base.report import SHELL
from lib.runtime import scheduler_settings

namespace = typer.Typer(help="Manage the docker-local scheduler integration for an app")

Everywhere = Annotated[bool, typer.Option("--global", help="for every app; not disable-chown")]


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a scheduler-docker-local report for one or more apps."""
    title, prefix = "scheduler-docker-local information", "scheduler-docker-local-"
    general = scheduler_settings.global_rows
    reports.show(words, format_, title, prefix, scheduler_settings.rows, SHELL, general)


@namespace.command("set", context_settings=ANY_FLAG)
def set_(app: App = "", key: Key = "", value: Value = "", everywhere: Everywhere = False) -> None:
    """Set or clear a scheduler-docker-local property for an app."""
    if everywhere:
        scheduler_settings.set_(config.GLOBAL, app, key)
    else:
        scheduler_settings.set_(app, key, value)

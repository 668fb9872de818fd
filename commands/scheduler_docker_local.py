"""scheduler-docker-local:* - how our own scheduler starts containers."""

import typer

from commands._params import ANY_FLAG, Format, Global, Key, Owner, ReportWords, Value, addressed
from lib.app import reports
from lib.base.report import SHELL
from lib.runtime import scheduler_settings

namespace = typer.Typer(help="Manage the docker-local scheduler integration for an app")


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a scheduler-docker-local report for one or more apps."""
    title, prefix = "scheduler-docker-local information", "scheduler-docker-local-"
    general = scheduler_settings.global_rows
    reports.show(words, format_, title, prefix, scheduler_settings.rows, SHELL, general)


@namespace.command("set", context_settings=ANY_FLAG)
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a scheduler-docker-local property for an app."""
    scheduler_settings.set_(*addressed(owner, key, value, is_global))

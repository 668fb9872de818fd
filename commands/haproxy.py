"""haproxy:* - the other proxy beside nginx, and what it is told of apps."""

import typer

from commands._params import (
    ANY_FLAG,
    Follow,
    Format,
    Global,
    Key,
    Number,
    OneApp,
    Owner,
    ReportWords,
    Value,
    addressed,
)
from lib.app import apps, reports
from lib.base.report import SHELL
from lib.proxy import haproxy_options, haproxy_service

namespace = typer.Typer(help="Manage the haproxy proxy")


@namespace.command("logs")
def logs(tail: Follow = False, num: Number = haproxy_service.LINES) -> None:
    """Display what haproxy has said."""
    haproxy_service.show_logs(tail, num)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a haproxy report for one or more apps."""
    rows, general = haproxy_options.rows, haproxy_options.general_rows
    reports.show(words, format_, "haproxy information", "haproxy-", rows, SHELL, general)


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a haproxy property for an app, or for all."""
    haproxy_options.set_(*addressed(owner, key, value, is_global))


@namespace.command("show-config")
def show_config(app: OneApp = "") -> None:
    """Display what haproxy is told of an app, or of all."""
    haproxy_service.show_configuration(app and apps.verify_app_name(app))


@namespace.command("start")
def start() -> None:
    """Starts haproxy."""
    haproxy_service.start()


@namespace.command("stop")
def stop() -> None:
    """Stops haproxy."""
    haproxy_service.stop()


@namespace.command("validate-config")
def validate_config() -> None:
    """Validates the haproxy configuration."""
    haproxy_service.validate()

"""nginx:* - the nginx configuration of apps."""

from typing import Annotated

import typer

from commands._params import (
    ANY_FLAG,
    App,
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
from lib.base import log
from lib.base.report import SHELL
from lib.proxy import nginx_logs, nginx_options, nginx_service, proxies

namespace = typer.Typer(help="Manage the nginx proxy")

Clean = Annotated[bool, typer.Option("--clean", help="remove files that nginx can't start with")]


@namespace.command("access-logs")
def access_logs(app: App = "", tail: Follow = False, num: Number = nginx_logs.LINES) -> None:
    """Show the nginx access logs for an application."""
    nginx_logs.show(apps.verify_app_name(app), "access", tail, num)


@namespace.command("build-config")
def build_config(app: App = "") -> None:
    """(Re)builds nginx config for given app."""
    log.warn("Deprecated: Please use proxy:build-config")
    nginx_service.verify_is_nginx(apps.verify_app_name(app))
    proxies.build_config(app)


@namespace.command("error-logs")
def error_logs(app: App = "", tail: Follow = False, num: Number = nginx_logs.LINES) -> None:
    """Show the nginx error logs for an application."""
    nginx_logs.show(apps.verify_app_name(app), "error", tail, num)


@namespace.command("reload")
def reload() -> None:
    """Has nginx read its configuration again."""
    nginx_service.reload()


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a nginx report for one or more apps."""
    rows, general = nginx_options.rows, nginx_options.general_rows
    reports.show(words, format_, "nginx information", "nginx-", rows, SHELL, general)


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear an nginx property for an app, or for all."""
    nginx_options.set_(*addressed(owner, key, value, is_global))


@namespace.command("show-config")
def show_config(app: App = "") -> None:
    """Display app nginx config."""
    nginx_service.show_configuration(apps.verify_app_name(app))


@namespace.command("show-conf")
def show_conf(app: App = "") -> None:
    """Display app nginx config (deprecated name)."""
    log.warn("Deprecated: Please use nginx:show-config")
    show_config(app)


@namespace.command("start")
def start() -> None:
    """Starts the nginx server."""
    nginx_service.start()


@namespace.command("stop")
def stop() -> None:
    """Stops the nginx server: no app is reached until it is started."""
    nginx_service.stop()


@namespace.command("validate-config")
def validate_config(app: OneApp = "", clean: Clean = False) -> None:
    """Validates and optionally cleans up invalid nginx configurations."""
    nginx_service.validate(apps.chosen(app, not app), clean)


@namespace.command("validate")
def validate(app: OneApp = "", clean: Clean = False) -> None:
    """Validates nginx configurations (deprecated name)."""
    log.warn("Deprecated: Please use nginx:validate-config")
    validate_config(app, clean)

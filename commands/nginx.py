"""nginx:* - the nginx configuration of apps."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, ReportWords
from lib.app import apps, reports
from lib.base import log
from lib.base.properties import GLOBAL
from lib.base.report import SHELL
from lib.proxy import nginx_logs, nginx_options, nginx_service, validation, vhosts

namespace = typer.Typer(help="Manage the nginx proxy")

OneApp = Annotated[str, typer.Argument(metavar="[<app>]")]
Owner = Annotated[str, typer.Argument(metavar="<app>|--global")]
Key = Annotated[str, typer.Argument(metavar="<property>")]
Value = Annotated[str, typer.Argument(metavar="[<value>]")]
Global = Annotated[bool, typer.Option("--global", hidden=True)]
Clean = Annotated[bool, typer.Option("--clean", help="remove files that nginx can't start with")]
Follow = Annotated[bool, typer.Option("--tail", "-t", help="go on until Ctrl-C")]
Number = Annotated[str, typer.Option("--num", "-n", metavar="N", help="lines")]


@namespace.command("access-logs")
def access_logs(app: App = "", tail: Follow = False, num: Number = nginx_logs.LINES) -> None:
    """Show the nginx access logs for an application."""
    nginx_logs.show(apps.verify_app_name(app), "access", tail, num)


@namespace.command("build-config")
def build_config(app: App = "") -> None:
    """(Re)builds nginx config for given app."""
    log.warn("Deprecated: Please use proxy:build-config")
    validation.verify_is_nginx(apps.verify_app_name(app))
    vhosts.build([app])


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
    """Set or clear an nginx property for an app."""
    words = (GLOBAL, owner, key) if is_global else (owner, key, value)
    nginx_options.set_(*words)


@namespace.command("show-config")
def show_config(app: App = "") -> None:
    """Display app nginx config."""
    validation.show(apps.verify_app_name(app))


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
    validation.validate(apps.chosen(app, not app), clean)


@namespace.command("validate")
def validate(app: OneApp = "", clean: Clean = False) -> None:
    """Validates nginx configurations (deprecated name)."""
    log.warn("Deprecated: Please use nginx:validate-config")
    validate_config(app, clean)

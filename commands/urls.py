"""urls - every URL of an app."""

import typer

from commands._params import App
from lib.app import apps
from lib.base import log
from lib.proxy import urls

namespace = typer.Typer(help="Show all URLs for an application")


@namespace.command("urls")
def urls_(app: App = "") -> None:
    """Show all URLs for an application."""
    for url in urls.all_(apps.verify_app_name(app)):
        log.plain(url)

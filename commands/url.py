"""url - the one URL of an app to show to people."""

import typer

from commands._params import App
from lib.app import apps
from lib.base import log
from lib.proxy import urls

namespace = typer.Typer(help="Show the first URL for an application")


@namespace.command("url")
def url(app: App = "") -> None:
    """Show the first URL for an application (compatibility)."""
    log.plain(urls.preferred(apps.verify_app_name(app)))

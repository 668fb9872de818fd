"""cleanup - remove what stopped containers and old images leave."""

from typing import Annotated

import typer

from lib.app import apps
from lib.runtime import cleanup as leftovers

App = Annotated[str, typer.Argument(metavar="[<app>]")]
namespace = typer.Typer(help="Cleans up exited/dead Docker containers and removes dangling images")


@namespace.command("cleanup")
def cleanup(app: App = "") -> None:
    """Cleans up exited/dead Docker containers and removes dangling images."""
    leftovers.clean(apps.verify_app_name(app) if app else "")

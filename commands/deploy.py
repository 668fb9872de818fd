"""deploy - hand an image that is there to the app's scheduler, without a release."""

from typing import Annotated

import typer

from commands._params import App
from lib.app import apps
from lib.base import triggers
from lib.runtime import schedulers

namespace = typer.Typer(help="")

Tag = Annotated[str, typer.Argument(metavar="[<tag>]")]


@namespace.command("deploy", hidden=True)
def deploy(app: App = "", tag: Tag = "latest") -> None:
    """Run an image of an app."""
    triggers.fire("scheduler-deploy", schedulers.selected(apps.verify_app_name(app)), app, tag)

"""git-upload-pack - `git fetch` over ssh."""

import typer

from commands._params import App
from lib.source import services

namespace = typer.Typer(help="")


@namespace.command("git-upload-pack", hidden=True)
def git_upload_pack(app: App = "") -> None:
    """Send an app's source."""
    services.upload("upload-pack", app)

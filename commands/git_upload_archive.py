"""git-upload-archive - `git archive --remote` over ssh."""

import typer

from commands._params import App
from lib.source import services

namespace = typer.Typer(help="")


@namespace.command("git-upload-archive", hidden=True)
def git_upload_archive(app: App = "") -> None:
    """Send an app's source."""
    services.upload("upload-archive", app)

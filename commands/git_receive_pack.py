"""git-receive-pack - `git push` over ssh."""

import typer

from commands._params import App
from lib.source import services

namespace = typer.Typer(help="")


@namespace.command("git-receive-pack", hidden=True)
def git_receive_pack(app: App = "") -> None:
    """Take a push for an app; the first one makes the app."""
    services.receive(app)

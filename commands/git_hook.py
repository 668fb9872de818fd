"""git-hook - what an app's pre-receive hook calls: judge a push and deploy it."""

import sys
from typing import Annotated

import typer

from commands._params import App
from lib import deploy
from lib.app import apps
from lib.source import services

namespace = typer.Typer(help="")

Stage = Annotated[str, typer.Argument(metavar="[received]")]


@namespace.command("git-hook", hidden=True)
def git_hook(app: App = "", stage: Stage = "") -> None:
    """Judge a push, or see to one that git has taken: lines of old commit, new commit and ref on stdin."""
    tell = deploy.received if stage == "received" else deploy.pushed
    tell(apps.verify_app_name(app), services.updates(sys.stdin.read()))

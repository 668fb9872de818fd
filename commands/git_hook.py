"""git-hook - what an app's pre-receive hook calls: judge a push and deploy it."""

import sys

import typer

from commands._params import App
from lib import deploy
from lib.app import apps
from lib.source import services

namespace = typer.Typer(help="")


@namespace.command("git-hook", hidden=True)
def git_hook(app: App = "") -> None:
    """Judge a push: lines of old commit, new commit and ref on stdin."""
    deploy.pushed(apps.verify_app_name(app), services.updates(sys.stdin.read()))

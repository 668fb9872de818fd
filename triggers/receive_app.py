"""receive-app APP [REVISION]: build and deploy a commit, or the deploy branch's tip.

Fired by: lib/deploy.py, ps:rebuild, git:sync --build. Stdin: unused. Stdout: the user's. An app without code
is left to the plugins.
"""

from lib import deploy
from lib.source import repos


def build(app: str, revision: str = "") -> None:
    if repos.exists(app):
        deploy.receive(app, revision)


HANDLERS = {"git": build}

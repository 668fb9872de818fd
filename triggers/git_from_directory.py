"""git-from-directory APP DIR [NAME [EMAIL]]: commit a directory as the app's next version and deploy it.

Fired by: plugins.
"""

from lib import deploy
from lib.source import commits


def commit(app: str, directory: str, name: str = "", email: str = "", *_: str) -> None:
    deploy.from_directory(app, directory, commits.author(name, email))


HANDLERS = {"git": commit}

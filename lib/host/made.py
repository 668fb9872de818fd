"""What bin/install made on this host: only that is taken away again by bin/uninstall.

Words in a file of root's, $DOKKU_LIB_ROOT/made. It stays until the data goes.
"""

import os

from lib.base import settings
from lib.host import placed

USER, GROUP, HOME, DEFAULT_SITE = "user", "group", "home", "default-site"


def note(what: str) -> None:
    """Remember that something was not there before and is ours."""
    if not noted(what):
        placed.file(_path(), "".join(f"{word}\n" for word in [*_words(), what]), said=False)


def forget(what: str) -> None:
    """It is gone, or given back."""
    if noted(what):
        placed.file(_path(), "".join(f"{word}\n" for word in _words() if word != what), said=False)


def noted(what: str) -> bool:
    """Whether bin/install made it. Unknown, so False, for what a release before this record made."""
    return what in _words()


def _words() -> list[str]:
    return (placed.content(_path()) or b"").decode("utf-8", "replace").split()


def _path() -> str:
    return os.path.join(settings.lib(), "made")

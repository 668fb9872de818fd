"""post-app-clone OLD NEW: NEW has what OLD has; deploy it, unless SKIP_REBUILD=true is in the environment.

Fired by: lib/app/apps.py clone.
"""

import os

from lib.runtime import lifecycle
from lib.source import repos


def rebuild(_old: str, new: str, *_: str) -> None:
    if os.environ.get("SKIP_REBUILD") != "true" and repos.head(new):
        lifecycle.rebuild(new)


HANDLERS = {"ps": rebuild}

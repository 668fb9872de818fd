"""post-app-rename OLD NEW: OLD is now called NEW; deploy it if it does not serve yet.

Fired by: lib/app/apps.py rename. SKIP_REBUILD=true in the environment skips the deploy.
"""

from lib.app import apps
from triggers.post_app_clone import rebuild


def deploy(old: str, new: str, *_: str) -> None:
    if not apps.is_deployed(new):
        rebuild(old, new)


HANDLERS = {"ps": deploy}

"""post-app-rename OLD NEW: OLD is now called NEW; deploy it, unless SKIP_REBUILD=true is in the environment.

Fired by: lib/app/apps.py rename.
"""

from triggers.post_app_clone import rebuild

HANDLERS = {"ps": rebuild}

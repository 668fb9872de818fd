"""app-restart APP: something that containers only get when they start has changed.

Fired by: lib/app/config_changes.py, proxy:enable, proxy:disable. An app that was never deployed gets a
warning; one that ps:stop took down stays down.
"""

from lib.runtime import lifecycle

HANDLERS = {"ps": lambda app, *_: lifecycle.restart_unless_stopped(app)}

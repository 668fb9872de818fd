"""post-stop APP: ps:stop has stopped the app.

Fired by: lib/runtime/lifecycle.py stop.
"""

from lib.runtime import lifecycle

HANDLERS = {"ps": lambda app, *_: lifecycle.remember_stopped(app)}

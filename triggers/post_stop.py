"""post-stop APP: ps:stop has stopped the app.

Fired by: lib/runtime/lifecycle.py stop.
"""

from lib.proxy import traffic
from lib.runtime import lifecycle

HANDLERS = {
    "nginx-vhosts": traffic.stopped,  # whichever proxy it is
    "ps": lambda app, *_: lifecycle.remember_stopped(app),
}

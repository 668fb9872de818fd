"""proxy-disable APP: no proxy is to bring traffic to the app any more.

Fired by: lib/proxy/proxies.py disable. A proxy that is not the app's does nothing.
"""

from lib.base import triggers
from lib.proxy import proxies


def disable(app: str, *_: str) -> None:
    if proxies.type_(app) == "nginx":
        triggers.fire("domains-disable", app, "false")
        triggers.fire("app-restart", app)


HANDLERS = {"nginx-vhosts": disable}

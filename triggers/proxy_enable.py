"""proxy-enable APP: a proxy is to bring traffic to the app again.

Fired by: lib/proxy/proxies.py enable. A proxy that is not the app's does nothing.
"""

from lib.base import triggers
from lib.proxy import proxies


def enable(app: str, *_: str) -> None:
    if proxies.type_(app) == "nginx":
        triggers.fire("domains-enable", app, "false")
        triggers.fire("app-restart", app)


HANDLERS = {"nginx-vhosts": enable}

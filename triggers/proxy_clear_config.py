"""proxy-clear-config APP|--all: take the proxy configuration of an app, or of every app, away.

Fired by: proxy:clear-config, ps:restore, plugins.
"""

from lib.app import apps
from lib.base import triggers
from lib.proxy import traffic


def clear(app: str, *_: str) -> None:
    gone = apps.names() if app == "--all" else [app]
    for name in gone:
        triggers.fire("network-clear-config", name)
    traffic.clear(gone)


HANDLERS = {"nginx-vhosts": clear}

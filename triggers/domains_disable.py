"""domains-disable APP [RESTART]: serve an app by a port of its own.

RESTART: false leaves it to the caller to have the proxy built. Fired by: lib/proxy/traffic.py.
"""

from lib.app import domains

HANDLERS = {"domains": lambda app, restart="true", *_: domains.disable(app, apply=restart != "false")}

"""proxy-type APP: which proxy brings traffic to the app.

Fired by: plugins, other proxies first of all: one that is not meant does nothing.
"""

from lib.proxy import proxies

HANDLERS = {"proxy": lambda app, *_: f"{proxies.type_(app)}\n"}

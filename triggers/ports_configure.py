"""ports-configure APP: fix the app's port map before a proxy is built; one without domains gets ports (0.31).

Fired by: plugins, other proxies first of all. Stdout: the user's.
"""

from lib.app import ports

HANDLERS = {"ports": lambda app, *_: ports.settle(app)}

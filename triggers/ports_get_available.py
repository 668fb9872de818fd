"""ports-get-available: a host port above 1024 that nobody uses (0.31).

Fired by: plugins.
"""

from lib.app import ports

HANDLERS = {"ports": lambda *_: f"{ports.available()}\n"}

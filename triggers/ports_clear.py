"""ports-clear APP: forget the port map that the user set; no proxy is built (0.31).

Fired by: plugins.
"""

from lib.app import ports

HANDLERS = {"ports": lambda app, *_: ports.drop_map(app)}

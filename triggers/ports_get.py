"""ports-get APP [FORMAT]: the port map in effect, a scheme:host-port:container-port per line, or json (0.31).

Fired by: plugins.
"""

from lib.app import ports

HANDLERS = {"ports": lambda app, shape="text", *_: ports.as_text(ports.mapped(app), shape)}

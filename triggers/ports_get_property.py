"""ports-get-property APP map|map-detected|proxy-port|proxy-ssl-port: a setting; nothing for others (0.31).

Fired by: plugins.
"""

from lib.app import ports

HANDLERS = {"ports": lambda app, key="", *_: f"{ports.setting(app, key)}\n"}

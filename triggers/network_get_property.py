"""network-get-property APP KEY: a network property of an app, its own or the global one, without a line end.

Fired by: lib/runtime/launch.py.
"""

from lib.app import network_settings

HANDLERS = {"network": lambda app, key, *_: network_settings.effective(app, key)}

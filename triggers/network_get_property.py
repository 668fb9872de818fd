"""network-get-property APP KEY: a network property of an app, without a line end.

Fired by: lib/runtime/launch.py.
"""

from lib.base import properties

HANDLERS = {"network": lambda app, key, *_: properties.get("network", app, key)}

"""certs-exists APP: `true` or `false` (0.29).

Fired by: plugins.
"""

from lib.app import certs

HANDLERS = {"certs": lambda app, *_: f"{str(certs.exists(app)).lower()}\n"}

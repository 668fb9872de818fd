"""domains-add APP DOMAIN...: give an app more domains.

Fired by: plugins. Stdout: as of domains:add.
"""

from lib.app import domains

HANDLERS = {"domains": lambda app, *names: domains.add(app, names)}

"""domains-setup APP: give an app its first domains, if it has none yet.

Fired by: lib/proxy/sites.py, lib/proxy/traffic.py, plugins. Stdout: the user's.
"""

from lib.app import domains

HANDLERS = {"domains": lambda app, *_: domains.setup(app)}

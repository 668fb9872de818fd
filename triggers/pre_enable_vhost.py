"""pre-enable-vhost APP: the app is about to be served by name again, at the host's own ports.

Fired by: lib/app/domains.py.
"""

from lib.app import ports

HANDLERS = {"nginx-vhosts": lambda app, *_: ports.drop_own(app)}

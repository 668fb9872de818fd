"""pre-disable-vhost APP: the app is about to lose its names; the ports it had them at go too.

Fired by: lib/app/domains.py disable.
"""

from lib.app import ports

HANDLERS = {"nginx-vhosts": lambda app, *_: ports.drop_all(app)}

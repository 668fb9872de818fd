"""post-proxy-ports-update APP add|clear|remove|set: the app's port map has changed.

Fired by: lib/app/ports.py. A failure fails the command; the change stays.
"""

from lib.proxy import sites, vhosts

HANDLERS = {"nginx-vhosts": vhosts.answer, "proxy": sites.foretell}

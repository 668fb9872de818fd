"""post-proxy-ports-update APP add|clear|remove|set: the app's port map has changed.

Fired by: lib/app/ports.py. A failure fails the command; the change stays.
"""

from lib.proxy import sites, traffic

HANDLERS = {
    "haproxy-vhosts": traffic.answer("haproxy"),
    "nginx-vhosts": traffic.answer("nginx"),
    "proxy": sites.foretell,
}

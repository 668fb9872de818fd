"""proxy-disable APP: no proxy is to bring traffic to the app any more.

Fired by: lib/proxy/proxies.py disable. A proxy that is not the app's does nothing.
"""

from lib.proxy import traffic

HANDLERS = {
    "haproxy-vhosts": traffic.turn("haproxy", "disable"),
    "nginx-vhosts": traffic.turn("nginx", "disable"),
}

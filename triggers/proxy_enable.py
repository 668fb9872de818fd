"""proxy-enable APP: a proxy is to bring traffic to the app again.

Fired by: lib/proxy/proxies.py enable. A proxy that is not the app's does nothing.
"""

from lib.proxy import traffic

HANDLERS = {
    "haproxy-vhosts": traffic.turn("haproxy", "enable"),
    "nginx-vhosts": traffic.turn("nginx", "enable"),
}

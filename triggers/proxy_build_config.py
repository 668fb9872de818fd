"""proxy-build-config APP: write the app's proxy configuration and put it in force.

Fired by: proxy:build-config, ps:start, ps:restore, plugins. A proxy that is not the app's does nothing.
"""

from lib.proxy import traffic

HANDLERS = {"haproxy-vhosts": traffic.answer("haproxy"), "nginx-vhosts": traffic.answer("nginx")}

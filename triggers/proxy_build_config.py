"""proxy-build-config APP: write the app's proxy configuration and put it in force.

Fired by: proxy:build-config, network:rebuild, ps:start, ps:stop --all, lib/restore.py, lib/runtime/launch.py,
lib/proxy/traffic.py, plugins. A proxy that is not the app's does nothing; those of ours forget an app that a
plugin's proxy serves.
"""

from lib.proxy import traffic

HANDLERS = {
    "haproxy-vhosts": traffic.answer("haproxy"),
    "nginx-vhosts": traffic.answer("nginx"),
    "proxy": traffic.leave,
}

"""proxy-is-enabled APP: `true` or `false`.

Fired by: plugins.
"""

from lib.proxy import proxies

HANDLERS = {"proxy": lambda app, *_: f"{str(proxies.is_enabled(app)).lower()}\n"}

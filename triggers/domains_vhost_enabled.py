"""domains-vhost-enabled APP: succeeds when the app is served by name; status 1 otherwise.

Fired by: plugins.
"""

from lib.app import domains
from lib.base.errors import DokkuError


def check(app: str, *_: str) -> None:
    if not domains.is_enabled(app):
        raise DokkuError("")


HANDLERS = {"domains": check}

"""domains-list APP: the names the app is served under, one per line; nothing when it is not served by name.

Fired by: plugins. An app that has not got its first domains yet is at the host's own name.
"""

import os

from lib.app import domains


def list_(app: str, *_: str) -> str:
    if not domains.is_enabled(app):
        return ""
    names = domains.listed(app) if os.path.exists(domains.path(app)) else [domains.hostname()]
    return "".join(f"{name}\n" for name in names)


HANDLERS = {"domains": list_}

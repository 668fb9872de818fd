"""certs-get APP crt|key: an app's certificate or key on stdout; status 1 without one (0.31).

Fired by: plugins.
"""

from lib.app import certs
from lib.base.errors import DokkuError


def content(app: str, kind: str = "", *_: str) -> str:
    if kind not in ("crt", "key") or not certs.exists(app):
        raise DokkuError("")
    return certs.half(app, kind).decode("utf-8", "surrogateescape")


HANDLERS = {"certs": content}

"""certs:report and certs:show. Source: dokku v0.24.0 plugins/certs/internal-functions."""

from lib.app import certs
from lib.base import log
from lib.base.errors import DokkuError
from lib.base.report import Row
from lib.tools import openssl

_NONE = "not deployed"


def rows(app: str) -> list[Row]:
    """What certs:report knows of an app."""
    found = certs.details(app) if certs.exists(app) else None
    verified = ""
    if certs.exists(app):
        is_verified = openssl.is_verified(certs.certificate(app))
        verified = "verified by a certificate authority" if is_verified else "self signed"
    return [
        Row("--ssl-dir", certs.directory(app)),
        Row("--ssl-enabled", str(certs.exists(app)).lower()),
        Row("--ssl-hostnames", " ".join(found.names) if found else "", refusal=_NONE),
        Row("--ssl-expires-at", found.ends if found else "", refusal=_NONE),
        Row("--ssl-issuer", found.issuer if found else "", refusal=_NONE),
        Row("--ssl-starts-at", found.starts if found else "", refusal=_NONE),
        Row("--ssl-subject", found.subject if found else "", refusal=_NONE),
        Row("--ssl-verified", verified, refusal=_NONE),
        Row("--ssl-days-left", str(int(found.seconds_left // 86400)) if found else "", newer=True),
        Row("--ssl-fingerprint", found.fingerprint if found else "", newer=True),
        Row("--ssl-serial", found.serial if found else "", newer=True),
    ]


def show(app: str, kind: str) -> None:
    """Print an app's certificate (crt) or its key (key). Raises: DokkuError without one."""
    if kind not in ("key", "crt"):
        raise DokkuError("specify either 'key' or 'crt'")
    if not certs.exists(app):
        raise DokkuError(f"{app} doesn't have an SSL endpoint defined")
    log.raw(certs.half(app, kind))

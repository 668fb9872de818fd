"""certs:generate: a certificate that an app signs for itself, and the request for an official one.

Source: dokku v0.24.0 plugins/certs/subcommands/generate.
"""

import os
from collections.abc import Sequence

from lib.app import certs, domain_names, domains
from lib.base import files, log, scratch, values
from lib.base.errors import DokkuError
from lib.tools import openssl

DAYS = 365
_REQUEST = "server.csr"


def generate(app: str, domain: str) -> None:
    """Serve an app with a new key and certificate for a domain, which is added to it; print the request.

    At a terminal openssl asks for what stands in them; else it is the domain, or the app's own if none is
    given. An app that has either half of a pair keeps it. Fires: as domains.add and certs.put do.
    """
    if any(os.path.exists(path) for path in (certs.certificate(app), certs.key(app))):
        log.info1(f"{app} has an SSL endpoint already defined")
        return
    given = [_verified(domain)] if domain else []
    asks = os.isatty(0) and log.current_sink() is None
    names = given or ([] if asks else domains.listed(app))
    if not names and not asks:
        raise DokkuError("Please specify a domain to generate a certificate for")
    with scratch.directory("certificate") as place:
        key, request, certificate = _made(place, names, asks)
    if given and given[0] not in domains.stored(app):
        domains.add(app, given)
    log.info1("Installing certificate and key...")
    certs.put(app, certificate, key, is_generated=True)
    files.replace(os.path.join(certs.directory(app), _REQUEST), request, 0o640)
    about = domain or next(iter(names), openssl.requested_name(request))
    log.info1("The following is a certificate signing request that can be used")
    log.info1(f"to generate an 'officially' signed SSL certificate for {app} at {about}")
    log.info1("by a CA of your choosing.")
    log.raw(request)


def _made(place: str, names: Sequence[str], asks: bool) -> tuple[bytes, bytes, bytes]:
    """Key, request and certificate. place: a directory of nobody else's."""
    key = openssl.new_key()
    key_path, request_path, extensions = [os.path.join(place, name) for name in ("key", "csr", "ext")]
    files.replace(key_path, key)
    if asks:
        openssl.ask_for_request(key_path, request_path)
        request = files.read(request_path).encode()
    else:
        request = openssl.request(key_path, names)
    asked = openssl.requested_name(request)
    known = dict.fromkeys([*names, *([asked] if values.is_domain(asked) else [])])
    files.replace(extensions, f"{openssl.alternative_names([*known], bool(asked))}\n" if known else "")
    return key, request, openssl.self_signed(request, key_path, extensions, DAYS)


def _verified(domain: str) -> str:
    name = domain_names.as_ascii(domain)
    if not values.is_domain(name):
        raise DokkuError(f"{values.printable(domain)} is invalid. exiting...")
    return name

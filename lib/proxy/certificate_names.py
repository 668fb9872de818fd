"""Which of an app's domains its certificate is for, and what people are told when it is none of them."""

from collections.abc import Sequence

from lib.app import certs, domains
from lib.base import log


def covered(app: str, names: Sequence[str]) -> list[str]:
    """Those of some names that the app's certificate is for; a `*` in it stands for one label."""
    known = certs.names(app)
    return [name for name in names if any(_matches(name, one) for one in known)]


def warn_of_mismatch(app: str) -> None:
    """Say so when none of the app's domains is in its certificate; not of one that can't be read."""
    listed, known = domains.listed(app), certs.names(app)
    if not listed or not known or covered(app, listed):
        return
    insecure = "Your app will show as insecure in a browser if accessed via SSL"
    log.info1(f"No matching configured domains for {app} found in SSL certificate. {insecure}")
    log.info1("Please add appropriate domains via the dokku domains command")
    log.info1("Configured domains for app:")
    for name in listed:
        log.info2(name)
    log.info1("Domains found in SSL certificate:")
    for name in known:
        log.info2(name)


def _matches(name: str, known: str) -> bool:
    if name == known.lower():
        return True
    return known.startswith("*.") and name.partition(".")[2] == known[2:].lower()

"""What is known of an app's orders: which certificates are theirs, and how often the last ones failed.

All of it is $DOKKU_ROOT/APP/letsencrypt/orders.json. A certificate is known by its fingerprint, with whom it
was ordered from and in whose name, and so is the one before it until the new one is in place. One that the
plugin dokku-letsencrypt ordered is known by the copy that it keeps in letsencrypt/certs/current; the first
order of ours takes over from there.
"""

import base64
import binascii
import calendar
import contextlib
import itertools
import os
import re
import shlex
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from lib.app import certs
from lib.base import files, log, settings
from lib.proxy.acme_settings import DAY
from lib.tools.lego import Account

HOUR = 60 * 60
BY_HAND = 4  # failed orders within an hour; Let's Encrypt's own limit is five
_FIRST = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_LIMIT = ":rateLimited"
_LONGEST_LIMIT = 8 * DAY  # Let's Encrypt's own last a week
_RETRY = re.compile(r"retry after (\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?: UTC|Z)", re.IGNORECASE)


class Standing(NamedTuple):
    """The certificate that an app has from an order. starts, ends: seconds since the epoch."""

    names: list[str]
    starts: float
    ends: float


class Failures(NamedTuple):
    """Orders in a row that failed, all of the same. until: when the server itself will hear the next."""

    server: str
    names: list[str]
    times: list[float]
    until: float
    said: list[str]


NO_FAILURES = Failures("", [], [], 0, [])


def is_known(app: str) -> bool:
    """Whether anything was ever ordered for the app."""
    return os.path.isdir(directory(app))


def is_active(app: str) -> bool:
    """Whether the certificate that the app is served with is from an order."""
    return certs.exists(app) and is_ordered(app)


def is_ordered(app: str) -> bool:
    """Whether the certificate on disk is from an order, be it that it is about to go."""
    return certs.is_stored(app) and _present(app) in _known(app)


def standing(app: str) -> Standing | None:
    """The app's certificate, if it is from an order."""
    found = certs.details(app) if is_active(app) else None
    if found is None:
        return None
    return Standing(found.names, found.starts_at, found.ends_at)


def account(app: str) -> Account | None:
    """Whom the app's certificate was ordered from, and in whose name; None where nobody wrote that down."""
    found = _known(app).get(_present(app))
    return found if found and all(found) else None


def fulfilled(app: str, order: Account, certificate: str) -> None:
    """Know a certificate that is about to be put in place, and no failures any more."""
    before = {_present(app): _known(app)[_present(app)]} if is_active(app) else {}
    known = {_fingerprint(certificate): order, **before}
    _write(app, {"certificates": {one: account._asdict() for one, account in known.items()}})


def failures(app: str, server: str, names: Sequence[str]) -> Failures:
    """The orders of exactly this that failed since the last that did not.

    What a clock that was ahead has written does not count: nobody would order for years.
    """
    kept = _read(app).get("failures")
    try:
        found = Failures(**kept) if isinstance(kept, dict) else NO_FAILURES
    except TypeError:
        return NO_FAILURES
    if (found.server, sorted(found.names)) != (server, sorted(names)):
        return NO_FAILURES
    now = time.time()
    until = found.until if found.until <= now + _LONGEST_LIMIT else 0
    return found._replace(times=[at for at in found.times if at <= now], until=until)


def failed(app: str, server: str, names: Sequence[str], said: Sequence[str]) -> None:
    """Remember that an order failed. said: the server's words."""
    before = failures(app, server, names)
    now = time.time()
    until = _end_of_limit(said, now) if any(_LIMIT in line for line in said) else 0
    new = Failures(
        server, list(names), [*before.times, now][-20:], until, [line[:500] for line in said[-20:]]
    )
    _write(app, {**_read(app), "failures": new._asdict()})


def forget_failures(app: str) -> None:
    """Order as if nothing had failed."""
    kept = _read(app)
    if kept.pop("failures", None):
        _write(app, kept)


def next_by_clock(found: Failures) -> float:
    """When the clock may order again: an hour after the first failure, later and later, a day at most."""
    if not found.times:
        return 0
    return max(found.until, found.times[-1] + min(HOUR << (len(found.times) - 1), DAY))


def next_by_hand(found: Failures) -> float:
    """When a person may order again: at once, until the server is about to count against everybody here."""
    often = len(found.times) >= BY_HAND
    return max(found.until, found.times[-BY_HAND] + HOUR if often else 0)


def forget(app: str) -> None:
    """Drop all of it, what the plugin left too."""
    files.remove(directory(app))


def stale(app: str) -> list[str]:
    """What the plugin left that no certificate in force is from."""
    top = os.path.join(directory(app), "certs")
    current = "" if "certificates" in _read(app) else os.path.basename(of_plugin(app))
    names = sorted(os.listdir(top)) if os.path.isdir(top) else []
    return [os.path.join(top, name) for name in names if not current or name not in ("current", current)]


def directory(app: str) -> str:
    return os.path.join(settings.app_dir(app), "letsencrypt")


def of_plugin(app: str) -> str:
    """Where the plugin dokku-letsencrypt keeps the lego directory of the app's present certificate.

    `current` leads there by the name that the app had then: only the last part of that counts.
    """
    place = os.path.join(directory(app), "certs")
    try:
        return os.path.join(place, os.path.basename(os.readlink(os.path.join(place, "current"))))
    except OSError:
        return os.path.join(place, "current")


def _end_of_limit(said: Sequence[str], now: float) -> float:
    """Until when the server refuses: as it says (in one of two ways), else an hour."""
    match = _RETRY.search(" ".join(said))
    with contextlib.suppress(ValueError):  # the 30th of February
        if match:
            return float(calendar.timegm(time.strptime(f"{match[1]} {match[2]}", "%Y-%m-%d %H:%M:%S")))
    return now + HOUR


def _present(app: str) -> str:
    return _fingerprint(_text(certs.certificate(app)))


def _known(app: str) -> dict[str, Account]:
    """The fingerprints of what was ordered for the app, by us, else by the plugin, and from whom."""
    kept = _read(app)
    known = kept.get("certificates")
    if isinstance(known, dict):
        return {one: _account(of) for one, of in known.items()}
    if isinstance(known, list):  # until 0.24.1 there was one account for all of them
        return dict.fromkeys(map(str, known), _account(kept))
    directory_ = os.path.join(of_plugin(app), "certificates")
    names = sorted(os.listdir(directory_)) if os.path.isdir(directory_) else []
    paths = [os.path.join(directory_, name) for name in names if name.endswith(".crt")]
    found = (_fingerprint(_text(path)) for path in [*paths, os.path.join(of_plugin(app), "fullchain.pem")])
    return dict.fromkeys(filter(None, found), _of_plugin(app))


def _account(kept: Any) -> Account:
    """What was written down of one; empty words for what is not there."""
    words = kept if isinstance(kept, dict) else {}
    return Account(str(words.get("server", "")), str(words.get("email", "")))


def _of_plugin(app: str) -> Account:
    """Server and email, from the words that the plugin called lego with."""
    try:
        words = shlex.split(_text(os.path.join(of_plugin(app), "config")))
    except ValueError:
        words = []
    found = dict(itertools.pairwise(words))
    return Account(found.get("--server", ""), found.get("--email", ""))


def _text(path: str) -> str:
    """What a file holds; nothing when it is not there, or only root's to read."""
    try:
        return files.read(path)
    except OSError:
        return ""


def _fingerprint(text: str) -> str:
    """SHA-256 of the first certificate in a PEM text; empty when there is none."""
    import hashlib

    match = _FIRST.search(text)
    try:
        return hashlib.sha256(base64.b64decode(match[1])).hexdigest() if match else ""
    except (ValueError, binascii.Error):
        return ""


def _path(app: str) -> str:
    return os.path.join(directory(app), "orders.json")


def _read(app: str) -> dict[str, Any]:
    import json

    try:
        text = files.read(_path(app), "{}")
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError("it is no object")
    except (OSError, ValueError) as error:
        log.warn(f"{_path(app)} makes no sense: {error}. An order makes it anew")
        return {}
    return found


def _write(app: str, what: dict[str, Any]) -> None:
    import json

    files.replace(_path(app), json.dumps(what, indent=1) + "\n")

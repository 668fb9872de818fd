"""letsencrypt:set and letsencrypt:report: whom certificates are ordered from, in whose name, and when again.

What an app has goes before what the host has (--global), and at each of them the property before the variable
that users of the plugin dokku-letsencrypt had in 2021. That plugin keeps the same properties, and the file
`autorenew`.
"""

import os
import re

from lib.app import apps, config
from lib.base import files, log, properties, settings, triggers, values
from lib.base.errors import DokkuError
from lib.tools.lego import Account

STORE = "letsencrypt"
SERVERS = {
    "default": "https://acme-v02.api.letsencrypt.org/directory",
    "production": "https://acme-v02.api.letsencrypt.org/directory",
    "staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
EMAIL, SERVER, GRACE, LEGO_ARGS = "email", "server", "graceperiod", "lego-docker-args"
PROPERTIES = {
    EMAIL: "DOKKU_LETSENCRYPT_EMAIL",
    GRACE: "DOKKU_LETSENCRYPT_GRACEPERIOD",
    SERVER: "DOKKU_LETSENCRYPT_SERVER",
    LEGO_ARGS: "",
}
DAY = 24 * 60 * 60
USUAL_GRACE = 30 * DAY

_EMAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,190}", re.ASCII)
_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9._~/-]*", re.ASCII)
_LONGEST_GRACE = 3650 * DAY


def stand_aside() -> bool:
    """Whether the plugin dokku-letsencrypt does all of this here; then nothing of ours does."""
    return any(plugin.name == STORE for plugin in triggers.plugins())


def value(owner: str, key: str) -> str:
    """A property of an app alone, or of GLOBAL alone."""
    return properties.get(STORE, owner, key) or (
        config.get(owner, PROPERTIES[key]) if PROPERTIES[key] else ""
    )


def effective(app: str, key: str) -> str:
    """A property as it counts for an app; for GLOBAL, for an app without its own."""
    own = value(app, key) or value(properties.GLOBAL, key)
    if key == SERVER:
        return SERVERS.get(own or "default", own)
    return own


def account(app: str) -> Account:
    """In whose name certificates of the app are ordered. Raises: DokkuError when nobody said, or nonsense."""
    server, email = effective(app, SERVER), effective(app, EMAIL)
    if not email:
        hint = f"Try: dokku letsencrypt:set {app} email you@example.com"
        raise DokkuError("Cannot request a certificate without an e-mail address", more=(hint,))
    for key, given in ((EMAIL, email), (SERVER, server)):  # people and plugins write these files too
        _verify(key, given)
    return Account(server, email)


def grace(app: str, lifetime: float) -> float:
    """How many seconds before it expires a certificate is to be renewed.

    lifetime: of the certificate, in seconds. Nothing is renewed in the first third of it: servers count.
    """
    given = effective(app, GRACE)
    if values.is_number(given):
        return min(max(int(given), 0), lifetime * 2 / 3)
    return min(USUAL_GRACE, lifetime / 3)


def set_(owner: str, key: str, given: str) -> None:
    """Set a property of an app or of GLOBAL; without a value, unset it.

    Raises: DokkuError before anything is changed.
    """
    if owner != properties.GLOBAL:
        apps.verify_app_name(owner)
    if not key:
        raise DokkuError("No key specified")
    if key.startswith("dns-provider"):
        raise DokkuError(f"{values.printable(key)}: only HTTP-01 is known here, wildcards need the plugin")
    if key not in PROPERTIES:
        raise DokkuError(f"Invalid key specified, valid keys include: {', '.join(sorted(PROPERTIES))}")
    if given:
        _verify(key, SERVERS.get(given, given) if key == SERVER else given)
    if key == LEGO_ARGS and given:
        log.warn(f"{key} is kept and has no effect: no container orders certificates here")
    properties.change(STORE, owner, key, given)


def is_renewing() -> bool:
    """Whether the host renews on schedule; it does unless somebody took that away."""
    return properties.get(STORE, properties.GLOBAL, "autorenew") != "false"


def change_renewing(add: bool, remove: bool) -> None:
    """Have the host renew on schedule, or not; say what it does when neither is wanted.

    The plugin, if it comes (again), finds the same.
    """
    flag = os.path.join(settings.data(STORE), "autorenew")
    if add and remove:
        raise DokkuError("Specify --add or --remove to modify the cron-job")
    if not add and not remove:
        known = "is on" if is_renewing() else "is off"
        log.verbose(f"Scheduled renewal {known}. Specify --add or --remove to modify the cron-job")
    elif add:
        properties.delete(STORE, properties.GLOBAL, "autorenew")
        files.replace(flag, "")
        log.info1("Added cron job to dokku's crontab.")
    else:
        properties.write(STORE, properties.GLOBAL, "autorenew", "false")
        files.remove(flag)
        log.info1("Removed cron job from dokku's crontab.")


def _verify(key: str, given: str) -> None:
    shown = values.printable(given)
    if key == EMAIL and not _EMAIL.fullmatch(given):
        raise DokkuError(f"{shown} is not an e-mail address")
    if key == SERVER and not _URL.fullmatch(given):
        raise DokkuError(f"{shown} is not an ACME server: default, staging, or an address https://HOST/PATH")
    if key == GRACE and not (values.is_number(given) and 0 < int(given) <= _LONGEST_GRACE):
        raise DokkuError(f"Invalid value for {key}: {shown}. It is a number of seconds")
    if key == LEGO_ARGS and values.has_control_characters(given):
        raise DokkuError(f"Invalid value for {key}: {shown}")

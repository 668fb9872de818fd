"""Accounts at ACME servers: one for each server and e-mail address, whichever app needs it.

They are files of lego's, kept below data/letsencrypt; what runs gets a copy, so that one that is killed
leaves the kept ones whole. An account that the plugin dokku-letsencrypt made is taken over: newer ones of it
keep one for all apps, older ones one for each.
"""

import os

from lib.base import files, settings
from lib.proxy import acme_orders
from lib.tools import lego
from lib.tools.lego import Account


def lend(account: Account, app: str, directory: str) -> bool:
    """Copy an account into a directory of lego's; whether there is one."""
    places = (_store(), settings.data("letsencrypt"), acme_orders.of_plugin(app))
    return any(_copy(account, place, directory) for place in places)


def keep(account: Account, directory: str) -> None:
    """Take over what lego made of an account in its directory; nothing when it did not get that far."""
    files.make_directory(_store(), 0o700)
    _copy(account, directory, _store())


def deregister(account: Account, directory: str) -> None:
    """Have lego register its key again: the server does not know the account any more."""
    files.remove(os.path.join(directory, lego.account_directory(account), "account.json"))


def _store() -> str:
    return os.path.join(settings.data("letsencrypt"), "lego")


def _copy(account: Account, source: str, target: str) -> bool:
    """The key first: a registration without it is worth nothing, while a key alone finds its registration."""
    place = lego.account_directory(account)
    for name in (os.path.join("keys", f"{account.email}.key"), "account.json"):
        text = files.read(os.path.join(source, place, name))
        path = os.path.join(target, place, name)
        if not text or (name.endswith(".json") and not _is_whole(text)):
            return False
        if files.read(path) != text:
            files.replace(path, text)
    return True


def _is_whole(text: str) -> bool:
    import json

    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False

"""letsencrypt:* - certificates from an ACME server, ordered when asked for and again before they expire.

The server asks each domain for a file over plain http; nginx answers, from a directory that lego fills,
before any redirect. Whatever goes wrong, the app is served as before. A host makes one order at a time.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence

from lib.app import apps, certs, domains, ports
from lib.base import files, log, scratch, settings, signals
from lib.base.errors import DokkuError
from lib.proxy import (
    acme_accounts,
    acme_orders,
    acme_settings,
    batching,
    conf_files,
    owners,
    proxies,
    sites,
    vhosts,
)
from lib.tools import lego
from lib.tools.lego import Account

MOST_NAMES = 100  # in one certificate of Let's Encrypt
_TOKENS = ".well-known/acme-challenge"


def enable(app: str, force: bool = False) -> None:
    """Serve an app with a certificate for all of its domains, ordered now unless it has one that will do.

    force: order all the same. Raises: DokkuError with the server's words; the app is then as it was.
    """
    apps.verify_app_name(app)
    force = force or settings.is_forced()
    names = orderable(app)
    account = acme_settings.account(app)
    with alone():
        if not force and _will_do(app, account, names):
            log.info1(f"{app} has a certificate for {' '.join(names)} already; it is renewed when it is time")
            return
        failures = acme_orders.failures(app, account.server, names)
        if acme_orders.next_by_hand(failures) > time.time() and not force:
            raise too_often(app, failures)
        order(app, account, names)
    log.info1("Done")


def order(app: str, account: Account, names: Sequence[str]) -> None:
    """Have a certificate made for some domains of the app, and serve the app with it. Inside `alone`.

    Raises: DokkuError with the server's words, which are remembered.
    """
    lego.verify_installed()
    log.info2(f"Enabling letsencrypt for {app}")
    for name in names:
        log.verbose(name)
    with _answered(app):
        log.info1(f"Getting a certificate from {account.server}")
        try:
            pair = _obtained(app, account, names)
            acme_orders.fulfilled(app, account, pair.certificate.decode("ascii", "replace"))
            signals.failpoint("acme-obtained")
            certs.put(app, pair.certificate, pair.key)
        except DokkuError as error:
            acme_orders.failed(app, account.server, names, error.lines)
            raise DokkuError(f"{app} gets no certificate", more=tuple(error.lines)) from error
    log.info1("Certificate retrieved successfully")


def disable(app: str) -> None:
    """Serve an app without the certificate that was ordered for it; one from elsewhere stays."""
    apps.verify_app_name(app)
    log.info1("Disabling letsencrypt for app")
    with alone():
        _give_up(app)
    log.info1("Done")


def revoke(app: str) -> None:
    """Have the server declare the app's certificate void, and serve the app without it.

    Raises: DokkuError with the server's words; the certificate stays then.
    """
    apps.verify_app_name(app)
    with alone():
        if not acme_orders.is_ordered(app):
            raise DokkuError(f"Letsencrypt not enabled for {app}")
        account = acme_orders.account(app) or acme_settings.account(app)
        log.info2(f"Revoke letsencrypt certificate from {app}...")
        with scratch.directory("acme") as directory:
            if not acme_accounts.lend(account, app, directory):
                raise DokkuError(f"There is no account of {account.email} at {account.server} here")
            lego.revoke(account, directory, certs.names(app)[0], certs.half(app, "crt"))
        log.info1("Certificate revoked successfully")
        _give_up(app)
    log.info1("Done")


def cleanup(app: str) -> None:
    """Forget what is not needed any more: failed orders, and what the plugin left before our first order."""
    apps.verify_app_name(app)
    with alone():
        if not acme_orders.is_active(app):
            withdraw(app)
        acme_orders.forget_failures(app)
        for path in acme_orders.stale(app):
            log.info1(f"Removing {path}")
            files.remove(path)


def separate(app: str) -> None:
    """Let a copy of an app have no part in the orders of its original."""
    acme_orders.forget(app)
    files.remove(_include(app))


def orderable(app: str, strictly: bool = True) -> list[str]:
    """The domains of an app that a certificate can be ordered for.

    strictly: what stands in the way of some of them is a refusal. Raises: DokkuError when none is left.
    """
    if not proxies.is_enabled(app) or proxies.type_(app) != "nginx":
        raise DokkuError(f"{app} is not served by nginx, which has to answer the ACME server")
    if not sites.is_served(app):
        raise DokkuError(f"{app} is not deployed: nothing answers for its domains yet")
    listed = domains.listed(app)
    if not listed:
        raise DokkuError(f"No domains detected for {app}")
    wildcards = [name for name in listed if name.startswith("*")]
    if wildcards and (strictly or len(wildcards) == len(listed)):
        raise DokkuError(f"No certificate can be ordered over HTTP for a wildcard: {' '.join(wildcards)}")
    owner = owners.of(listed, [app])
    names = [name for name in listed if name not in wildcards and owner.get(name, app) == app]
    for name in listed if strictly else ():
        if owner.get(name, app) != app:
            log.warn(f"Skipping domain {name} of {app}: it belongs to {owner[name]}")
    if not names:
        raise DokkuError(f"No domains detected for {app}")
    if len(names) > MOST_NAMES:
        raise DokkuError(f"{app} has {len(names)} domains, a certificate is for {MOST_NAMES} at most")
    usual = {80, ports.general(ports.HTTP, 80)}
    if not any(entry.scheme == "http" and entry.host in usual for entry in ports.mapped(app)):
        hint = f"Try: dokku ports:add {app} http:80:{ports.upstream_port(app)}"
        raise DokkuError(
            f"{app} is not served over http at port 80, where the ACME server asks", more=(hint,)
        )
    return names


def too_often(app: str, failures: acme_orders.Failures) -> DokkuError:
    """The refusal of an order that the server would not like to hear."""
    at = time.strftime("%F %T UTC", time.gmtime(acme_orders.next_by_hand(failures)))
    text = f"{len(failures.times)} orders for {app} failed, the next one is made after {at}"
    hint = "Look for the cause first; letsencrypt:enable --force does not wait"
    return DokkuError(text, more=(*failures.said, hint))


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Nobody else orders on this host inside the block."""
    with files.locked(os.path.join(settings.data(acme_settings.STORE), "lego")):
        scratch.sweep()  # a killed order leaves a copy of the account's key
        yield


def withdraw(app: str) -> None:
    """Answer no ACME server for the app any more, if anything did. Inside `alone`."""
    if is_answered(app):
        files.remove(_include(app))
        build(app)


def is_answered(app: str) -> bool:
    """Whether nginx is to answer the ACME server for the app."""
    return os.path.exists(_include(app))


def build(app: str) -> None:
    """Have nginx read the app's files now, without the words that people are used to at a deploy."""
    with batching.at_once(), log.collected():
        vhosts.build([app])


def _will_do(app: str, account: Account, names: Sequence[str]) -> bool:
    """Whether the app's certificate is what an order would bring."""
    found = acme_orders.standing(app)
    if found is None or not set(names) <= set(found.names) or acme_orders.account(app) != account:
        return False
    return time.time() < found.ends - acme_settings.grace(app, found.ends - found.starts)


def _obtained(app: str, account: Account, names: Sequence[str]) -> lego.Pair:
    with scratch.directory("acme") as directory:
        acme_accounts.lend(account, app, directory)
        try:
            return lego.obtain(account, directory, _webroot(), names)
        except DokkuError as error:
            if not lego.is_said(error, lego.UNKNOWN_ACCOUNT):
                raise
            acme_accounts.deregister(account, directory)
            return lego.obtain(account, directory, _webroot(), names)
        finally:
            acme_accounts.keep(account, directory)


@contextlib.contextmanager
def _answered(app: str) -> Iterator[None]:
    """nginx answers the ACME server for the app in the block, and after it if the app has a certificate."""
    tokens = os.path.join(_webroot(), _TOKENS)
    files.remove(_webroot())  # what a killed order left
    files.make_directory(tokens)
    _let_pass(settings.data(acme_settings.STORE))
    try:
        if files.read(_include(app)) != _directives():
            files.replace(_include(app), _directives(), mode=0o644)
        build(app)
        yield
    finally:
        if not acme_orders.is_active(app):
            withdraw(app)


def _let_pass(directory: str) -> None:
    """Let nginx's workers reach what is in a directory, which they can't list."""
    mode = os.stat(directory).st_mode
    if mode & 0o011 == 0o011:
        return
    try:
        os.chmod(directory, mode | 0o011)
    except OSError:
        hint = f"As root: chmod a+x {directory}"
        raise DokkuError("nginx can't reach the answers for the ACME server", more=(hint,)) from None


def _give_up(app: str) -> None:
    files.remove(_include(app))
    if acme_orders.is_ordered(app):
        certs.remove(app)
    else:
        if certs.exists(app):
            log.verbose("Its certificate is from elsewhere and stays")
        if conf_files.current(app) is not None and not conf_files.is_in_force(app):
            build(app)
    acme_orders.forget(app)


def _directives() -> str:
    """Nothing that protects the app from visitors may stand before this."""
    lines = ("auth_basic off;", "allow all;", "default_type text/plain;", f'root "{_webroot()}";')
    return f"location ^~ /{_TOKENS}/ {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def _include(app: str) -> str:
    return os.path.join(conf_files.includes(app), "letsencrypt.conf")


def _webroot() -> str:
    return os.path.join(settings.data(acme_settings.STORE), "challenges")

"""Which certificates are due, and their renewal: by hand, and twice a day on schedule.

A certificate is due when its grace period has begun, or when its app has a domain that it is not for. After
failed orders the clock waits, longer each time. All that are renewed together cost nginx one reload.
"""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lib.app import apps, certs, domains
from lib.base import files, log, properties, settings
from lib.base.errors import DokkuError
from lib.base.report import Row
from lib.proxy import acme_orders, acme_settings, batching, conf_files, letsencrypt
from lib.proxy.acme_settings import EMAIL, GRACE, LEGO_ARGS, SERVER
from lib.runtime import cron_table


class Renewal(NamedTuple):
    """An app with a certificate from an order. at: when its grace period begins."""

    app: str
    ends: float
    at: float
    names: list[str]


def known() -> list[Renewal]:
    """Every app with a certificate from an order, the one that expires first before the others."""
    found = (of(app) for app in apps.names() if acme_orders.is_known(app))
    return sorted((one for one in found if one), key=lambda one: (one.ends, one.app))


def of(app: str) -> Renewal | None:
    """One app's, if it has a certificate from an order."""
    standing = acme_orders.standing(app)
    if standing is None:
        return None
    grace = acme_settings.grace(app, standing.ends - standing.starts)
    return Renewal(app, standing.ends, standing.ends - grace, standing.names)


def renew(app: str) -> None:
    """Order an app's certificate anew if that is due. Raises: DokkuError when the order fails."""
    apps.verify_app_name(app)
    with letsencrypt.alone():
        one = of(app)
        if one is None:
            log.info1(f"Letsencrypt not enabled for {app}")
            return
        _renew(one)


def renew_all() -> None:
    """Order anew whatever is due, the most urgent first; one that fails stops no other.

    Raises: DokkuError after all were tried.
    """
    log.info2_quiet("Auto-renewing all apps...")
    with letsencrypt.alone():
        _mend()
        failed: list[str] = []
        before: dict[str, tuple[bytes, bytes]] = {}
        try:
            with batching.batched():
                for one in sorted(known(), key=lambda one: one.at):
                    _attempt(one, failed, before)
        except DokkuError as error:
            log.failure(error)
            failed += _one_by_one(before)
    log.info2_quiet("Finished auto-renewal")
    if failed:
        raise DokkuError("One or more apps failed to have their certificates renewed")


def list_(shape: str) -> None:
    """Print every app with a certificate from an order: as a table, two blanks apart at least, or as JSON."""
    if shape not in ("stdout", "json"):
        raise DokkuError(f"Invalid output format specified, supported formats: json, stdout: {shape}")
    now = time.time()
    if shape == "json":
        import json

        found = [
            {"app": one.app, "expiry": int(one.ends), "renewal": int(one.at), "domains": one.names}
            for one in known()
        ]
        log.plain(json.dumps(found))
        return
    heads = ("App name", "Certificate Expiry", "Time before expiry", "Time before renewal")
    log.plain_quiet(_columns(("-----> " + heads[0], *heads[1:])))
    for one in known():
        expiry = time.strftime("%F %T", time.localtime(one.ends))
        log.plain(_columns((one.app, expiry, spoken(one.ends - now), spoken(one.at - now))))


def rows(app: str) -> list[Row]:
    """What letsencrypt:report knows of an app."""
    one = of(app)
    return [
        Row("--letsencrypt-active", str(one is not None).lower()),
        Row("--letsencrypt-autorenew", str(acme_settings.is_renewing()).lower()),
        *_rows_of(EMAIL, app),
        Row("--letsencrypt-expiration", str(int(one.ends)) if one else ""),
        *_rows_of(GRACE, app),
        *_rows_of(LEGO_ARGS, app),
        *_rows_of(SERVER, app),
    ]


def general_rows() -> list[Row]:
    """What letsencrypt:report knows of the host as a whole."""
    keys = [row for key in (EMAIL, GRACE, LEGO_ARGS, SERVER) for row in _rows_of(key, properties.GLOBAL)]
    return [
        Row("--letsencrypt-autorenew", str(acme_settings.is_renewing()).lower()),
        *(row for row in keys if "-computed-" in row.flag or "-global-" in row.flag),
    ]


def spoken(seconds: float) -> str:
    """A length of time: `89d, 23h, 59m, 59s`; one that is over ends in `ago`."""
    rest, parts = abs(int(seconds)), []
    for unit, size in (("d", acme_settings.DAY), ("h", 60 * 60), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return (", ".join(parts) or "0s") + (" ago" if seconds <= -1 else "")


def advise(app: str, operation: str = "", *_: str) -> None:
    """Say what a new domain of an app with a certificate needs."""
    if operation in ("add", "set") and not acme_settings.stand_aside():
        one = of(app) if acme_orders.is_known(app) else None
        if one and _lacks(one):
            log.warn("Please run dokku letsencrypt:enable to add https support to the new domain")


def entry() -> str:
    """What cron is to run, as a line of trigger cron-entries; empty where nothing is ordered on schedule.

    Twice a day, at a minute that this host has by chance: the servers ask for that.
    """
    if acme_settings.stand_aside() or not acme_settings.is_renewing():
        return ""
    if not any(acme_orders.is_known(app) for app in apps.names()):
        return ""
    minute, hour = _chance() % 60, _chance() // 60 % 12
    return f"{minute} {hour},{hour + 12} * * *;{cron_table.program()} --quiet letsencrypt:auto-renew\n"


def _attempt(one: Renewal, failed: list[str], before: dict[str, tuple[bytes, bytes]]) -> None:
    """Renew within a batch. failed: gets the app if that fails. before: gets its present pair."""
    try:
        with log.only_warned():  # a pair that we may not read can be replaced, and can't be put back
            before[one.app] = certs.pair(one.app)
        _renew(one)
    except DokkuError as error:
        failed.append(one.app)
        log.failure(error)
    except OSError as error:
        failed.append(one.app)
        log.warn(f"{one.app}: {error}")


def _one_by_one(before: Mapping[str, tuple[bytes, bytes]]) -> list[str]:
    """Put in force each by itself what nginx refused together; the apps that keep what they had before."""
    new = {app: pair for app in before if (pair := certs.pair(app)) != before[app]}
    with log.only_warned(), batching.batched():
        for app in new:
            certs.put(app, *before[app])
    failed = []
    for app, pair in new.items():
        try:
            certs.put(app, *pair)
        except DokkuError as error:
            failed.append(app)
            log.failure(error)
    return failed


def _renew(one: Renewal) -> None:
    """Order what is due: for the domains of the certificate alone, when others were in the way lately."""
    app, now = one.app, time.time()
    if now < one.at and not _lacks(one):
        log.verbose_quiet(f"{app} still has {spoken(one.at - now)} left before renewal")
        return
    wanted = letsencrypt.orderable(app, strictly=False)
    if any(name.startswith("*") for name in {*domains.listed(app)} & {*one.names} - {*wanted}):
        letsencrypt.orderable(app)  # refuses: what came by DNS would be replaced by less
    account = acme_settings.account(app)
    kept = [name for name in wanted if name in one.names] if now >= one.at else []
    for names in dict.fromkeys(filter(None, (tuple(wanted), tuple(kept)))):
        at = acme_orders.next_by_clock(acme_orders.failures(app, account.server, names))
        if at <= now:
            log.info1(f"{app} needs renewal")
            letsencrypt.order(app, account, names)
            return
        log.verbose_quiet(f"{app}: the last order failed, the next one is made in {spoken(at - now)}")


def _lacks(one: Renewal) -> bool:
    """Whether the app has got a domain that its certificate is not for, and could be ordered for."""
    try:
        return not set(letsencrypt.orderable(one.app, strictly=False)) <= set(one.names)
    except DokkuError:
        return False


def _mend() -> None:
    """Put in force what a killed one left half-way."""
    for app in apps.names():
        if not acme_orders.is_known(app) and not letsencrypt.is_answered(app):
            continue
        with log.only_warned():
            if not acme_orders.is_active(app):
                letsencrypt.withdraw(app)
            elif conf_files.current(app) is not None and not conf_files.is_in_force(app):
                letsencrypt.build(app)


def _rows_of(key: str, app: str) -> list[Row]:
    general = acme_settings.value(properties.GLOBAL, key)
    own = "" if app == properties.GLOBAL else acme_settings.value(app, key)
    computed = acme_settings.effective(app, key)
    if key == GRACE and not computed:
        computed = str(acme_settings.USUAL_GRACE)
    return [
        Row(f"--letsencrypt-computed-{key}", computed),
        Row(f"--letsencrypt-global-{key}", general),
        Row(f"--letsencrypt-{key}", own),
    ]


def _columns(cells: Sequence[str]) -> str:
    return "".join(cell.ljust(25) if len(cell) < 24 else f"{cell}  " for cell in cells).rstrip()


def _chance() -> int:
    """A number that this host keeps."""
    import hashlib

    machine = files.read("/etc/machine-id") or settings.root()
    return int.from_bytes(hashlib.sha256(f"{machine}{settings.root()}".encode()).digest()[:4], "big")

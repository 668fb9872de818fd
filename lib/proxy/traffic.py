"""Traffic to apps by whichever proxy of ours is theirs, and from one proxy to another.

nginx and haproxy are two modules that do the same things. An app that has another proxy than before is taken
away from the old one when the new one serves it.
"""

import contextlib
import functools
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from lib.app import apps, domains, network_settings, ports, process_settings
from lib.base import log, triggers
from lib.base.errors import AppsFailed, DokkuError
from lib.proxy import batching, conf_files, haproxy_vhosts, owners, port_owners, proxies, sites, vhosts


class Proxy(NamedTuple):
    """What a proxy of ours does.

    prepare: what comes before an app is served. apply: serve some apps as they are now; whether that needed a
    reload. clear: forget some. addresses: where an app's visitors are led, None when the proxy does not know
    it.
    """

    prepare: Callable[[str], None]
    apply: Callable[..., bool]
    clear: Callable[[Sequence[str]], None]
    addresses: Callable[[str], set[str] | None]


PROXIES = {
    kind: Proxy(module.prepare, module.apply, module.clear, addresses)
    for kind, module, addresses in (
        ("nginx", vhosts, conf_files.addresses),
        ("haproxy", haproxy_vhosts, haproxy_vhosts.addresses),
    )
}


_turn = threading.RLock()


def answer(kind: str) -> Callable[..., None]:
    """What a proxy does when a trigger says that an app is to be built: nothing for another proxy's app."""

    def build(app: str, *_: str) -> None:
        if is_served_by(kind, app):
            with _in_turn():
                PROXIES[kind].prepare(app)
            batching.build(_SWITCHES[kind], [app])

    return build


def _in_turn() -> contextlib.AbstractContextManager[object]:
    """One thread at a time, where no plugin is waited for: more of them only get in each other's way."""
    return contextlib.nullcontext() if triggers.has_plugins("network-build-config") else _turn


def is_served_by(kind: str, app: str) -> bool:
    """Whether that proxy of ours is the app's."""
    return proxies.type_(app) == kind and proxies.is_ours(kind)


def turn(kind: str, word: str) -> Callable[..., None]:
    """What a proxy does when an app of its is to be served again (enable) or no more (disable).

    Fires: domains-enable or domains-disable, app-restart; proxy-build-config for what no deploy builds.
    """

    def switch(app: str, *_: str) -> None:
        if is_served_by(kind, app):
            triggers.fire(f"domains-{word}", app, "false")
            triggers.fire("app-restart", app)
            if not _has_restarted(app):
                triggers.fire("proxy-build-config", app)

    return switch


def deployed(app: str, *_: str) -> None:
    """Have its proxy lead to an app's new containers. Fires: domains-setup, proxy-build-config."""
    if any(is_served_by(kind, app) for kind in PROXIES):
        if proxies.is_enabled(app):
            triggers.fire("domains-setup", app)
        triggers.fire("proxy-build-config", app)


def stopped(app: str, *_: str) -> None:
    """Answer 502 at once for an app that was stopped: where nobody is, a connection fails after a while."""
    for kind, refresh in _REFRESHED.items():
        if is_served_by(kind, app) and PROXIES[kind].addresses(app):
            with log.only_warned():
                batching.build(refresh, [app])


def _refresh(kind: str, wanted: Sequence[str]) -> bool:
    return PROXIES[kind].apply(wanted, must_run=False)


def clear(gone: Sequence[str]) -> None:
    """Have all proxies forget some apps, whatever state they are in."""
    before = _served(gone)
    for proxy in PROXIES.values():
        proxy.clear(gone)
    _pass_on(before - _served(gone), set(gone))


def hand_over(old: str, new: str) -> None:
    """Lead the visitors of an app to another, with one reload: it gets the names and ports that both list."""
    for kind, proxy in PROXIES.items():
        if is_served_by(kind, new):
            proxy.apply([new], leaving=[old], must_run=False)
    clear([old])


def addresses(app: str) -> set[str]:
    """Where the app's visitors are led."""
    return {ip for proxy in PROXIES.values() for ip in proxy.addresses(app) or ()}


def leads_to(app: str, wanted: Iterable[str]) -> bool:
    """Whether the app's visitors are led to one of these addresses."""
    return not addresses(app).isdisjoint(wanted)


def _has_restarted(app: str) -> bool:
    """Whether a restart deploys the app, or there is nothing to be served."""
    if network_settings.listeners(app):
        return False
    return not apps.is_deployed(app) or process_settings.is_restored(app)


def leave(app: str, *_: str) -> None:
    """Have our proxies forget an app that a plugin's serves from now on."""
    if not proxies.is_ours(proxies.type_(app)) and owners.is_known(app):
        clear([app])


def _switch(kind: str, wanted: Sequence[str]) -> bool:
    """Let a proxy serve some apps; the others forget those that it serves then.

    Who got another proxy while a batch waited is that one's. Raises: what the proxy raises; AppsFailed for
    apps that can't be at both proxies meanwhile.
    """
    ours = [app for app in wanted if is_served_by(kind, app)]
    stuck = {app: why for app in ours if (why := _stuck(kind, app))}
    failures: list[DokkuError] = []
    if stuck:
        failures.append(AppsFailed(f"{kind} can't serve {', '.join(stuck)} yet", stuck))
    going = [app for app in ours if app not in stuck]
    changed = False
    try:
        changed = _given(kind, going) if going else False
    except DokkuError as error:
        failures.append(error)
    if failures:
        raise batching.joined(failures)
    return changed


def _given(kind: str, wanted: Sequence[str]) -> bool:
    before = _served(wanted)
    try:
        changed = PROXIES[kind].apply(wanted)
    except AppsFailed as error:
        _take_from_others(kind, [app for app in wanted if app not in error.reasons])
        raise
    _take_from_others(kind, wanted)
    _pass_on(before - _served(wanted), set(wanted))
    return changed


def _stuck(kind: str, app: str) -> str:
    """Why an app has to leave its old proxy first: at a port of its own only one of them can listen."""
    old = port_owners.elsewhere(app, kind)
    if old is None or not sites.is_served(app, kind):
        return ""
    wanted = {proxies.served_port(kind, entry.host) for entry in ports.mapped(app)} & old.ports.keys()
    both = [str(port) for port in sorted(wanted) if port_owners.clashes(port, kind, old.proxy)]
    here = f"it is at port {', '.join(both)} with {old.proxy}, which has to give it up first"
    return f"{here}: dokku proxy:clear-config {app}" if both else ""


def _take_from_others(kind: str, wanted: Collection[str]) -> None:
    for name, proxy in PROXIES.items():
        moved = [app for app in wanted if name != kind and proxy.addresses(app) is not None]
        gone = [app for app in moved if not _is_nowhere(app, name)]
        for app in moved:
            if app not in gone:
                log.warn(f"{app} stays with {name}: it can be at none of its ports with {kind}")
        if gone:
            proxy.clear(gone)


def _is_nowhere(app: str, old: str) -> bool:
    """Whether an app's new proxy knows it, and has no port for it."""
    new = port_owners.elsewhere(app, old)
    return new is not None and not new.ports and not new.names


def _served(wanted: Collection[str]) -> set[str]:
    return {name for app in wanted for name in owners.served_by_any(app)}


def _pass_on(names: Collection[str], gone: Collection[str]) -> None:
    """Let apps of the other proxy have domains that nobody has any more; a proxy sees to its own itself."""
    found = domains.claimants(sorted(names)) if names else {}
    heirs = {app for name, others in found.items() for app in others if name not in _served(others)}
    heirs -= set(gone)
    for kind, proxy in PROXIES.items():
        ours = sorted(app for app in heirs if is_served_by(kind, app) and sites.is_served(app, kind))
        if ours:
            with log.only_warned():
                proxy.apply(ours)


_REFRESHED = {kind: functools.partial(_refresh, kind) for kind in PROXIES}
_SWITCHES = {kind: functools.partial(_switch, kind) for kind in PROXIES}  # one each: a batch goes by it

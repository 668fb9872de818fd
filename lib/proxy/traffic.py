"""Traffic to apps by whichever proxy of ours is theirs, and from one proxy to another.

nginx and haproxy are two modules that do the same things. An app that has another proxy than before is taken
away from the old one when the new one serves it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from lib.base import triggers
from lib.base.errors import AppsFailed
from lib.proxy import batching, conf_files, haproxy_vhosts, proxies, vhosts


class Proxy(NamedTuple):
    """What a proxy of ours does.

    prepare: what comes before an app is served. apply: serve some apps as they are now; whether that needed a
    reload. close: answer 502 for some apps. clear: forget some. addresses: where an app's visitors are led,
    None when the proxy does not know it. leads_to: whether to one of these.
    """

    prepare: Callable[[str], None]
    apply: Callable[[Sequence[str]], bool]
    close: Callable[[Sequence[str]], None]
    clear: Callable[[Sequence[str]], None]
    addresses: Callable[[str], set[str] | None]
    leads_to: Callable[[str, Iterable[str]], bool]


PROXIES = {
    "nginx": Proxy(
        vhosts.prepare,
        vhosts.apply,
        vhosts.close,
        vhosts.clear,
        conf_files.addresses,
        conf_files.leads_to,
    ),
    "haproxy": Proxy(
        haproxy_vhosts.prepare,
        haproxy_vhosts.apply,
        haproxy_vhosts.close,
        haproxy_vhosts.clear,
        haproxy_vhosts.addresses,
        haproxy_vhosts.leads_to,
    ),
}


def answer(kind: str) -> Callable[..., None]:
    """What a proxy does when a trigger says that an app is to be built: nothing for another proxy's app."""

    def build(app: str, *_: str) -> None:
        if is_served_by(kind, app):
            PROXIES[kind].prepare(app)
            batching.build(_SWITCHES[kind], [app])

    return build


def is_served_by(kind: str, app: str) -> bool:
    """Whether that proxy of ours is the app's."""
    return proxies.type_(app) == kind and proxies.is_ours(kind)


def turn(kind: str, word: str) -> Callable[..., None]:
    """What a proxy does when an app of its is to be served again (enable) or no more (disable).

    Fires: domains-enable or domains-disable, app-restart.
    """

    def switch(app: str, *_: str) -> None:
        if is_served_by(kind, app):
            triggers.fire(f"domains-{word}", app, "false")
            triggers.fire("app-restart", app)

    return switch


def deployed(kind: str) -> Callable[..., None]:
    """What a proxy does when an app's new containers are up. Fires: domains-setup, proxy-build-config."""

    def switch(app: str, *_: str) -> None:
        if is_served_by(kind, app):
            if proxies.is_enabled(app):
                triggers.fire("domains-setup", app)
            triggers.fire("proxy-build-config", app)

    return switch


def close(closing: Sequence[str]) -> None:
    """Answer 502 for apps from now on: their containers are about to stop, their addresses to be others'."""
    for proxy in PROXIES.values():
        proxy.close(closing)


def clear(gone: Sequence[str]) -> None:
    """Have all proxies forget some apps, whatever state they are in."""
    for proxy in PROXIES.values():
        proxy.clear(gone)


def is_known(app: str) -> bool:
    """Whether some proxy leads visitors to the app."""
    return any(proxy.addresses(app) is not None for proxy in PROXIES.values())


def addresses(app: str) -> set[str]:
    """Where the app's visitors are led."""
    return {ip for proxy in PROXIES.values() for ip in proxy.addresses(app) or ()}


def leads_to(app: str, wanted: Iterable[str]) -> bool:
    """Whether the app's visitors are led to one of these addresses."""
    found = list(wanted)
    return any(proxy.leads_to(app, found) for proxy in PROXIES.values())


def _to_nginx(apps: Sequence[str]) -> bool:
    return _switch("nginx", apps)


def _to_haproxy(apps: Sequence[str]) -> bool:
    return _switch("haproxy", apps)


def _switch(kind: str, apps: Sequence[str]) -> bool:
    """Let a proxy serve some apps; the others forget those that it serves then."""
    try:
        changed = PROXIES[kind].apply(apps)
    except AppsFailed as error:
        _take_from_others(kind, [app for app in apps if app not in error.reasons])
        raise
    _take_from_others(kind, apps)
    return changed


def _take_from_others(kind: str, apps: Collection[str]) -> None:
    for name, proxy in PROXIES.items():
        gone = [app for app in apps if name != kind and proxy.addresses(app) is not None]
        if gone:
            proxy.clear(gone)


_SWITCHES = {"nginx": _to_nginx, "haproxy": _to_haproxy}  # one function each: that is what a batch goes by

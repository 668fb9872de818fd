"""Where an app listens: at its running web containers, or at what its static-web-listener names."""

import functools
from collections.abc import Callable, Mapping, Sequence

from lib.app import apps, network_settings, ports
from lib.base import values
from lib.base.report import Row
from lib.runtime import containers
from lib.runtime.containers import Container, State

WEB = "web"


def of(app: str, process: str = WEB) -> list[str]:
    """The addresses, `ip:port`, of the app's running containers of a process type."""
    return of_all([app], process)[app]


def of_all(wanted: Sequence[str], process: str = WEB) -> dict[str, list[str]]:
    """The same for many apps, in one question to docker."""
    static = {app: network_settings.listeners(app) for app in wanted} if process == WEB else {}
    serving = [one for app in wanted if not static.get(app) for one in _registered(app, process)]
    alive = containers.states(serving) if serving else {}
    found: dict[str, list[str]] = {app: [] for app in wanted}
    for app in static:
        found[app] = [_spoken(one.ip, one.port or str(ports.upstream_port(app))) for one in static[app]]
    for one in _reachable(serving, alive):
        port = one.port if values.is_port(one.port) else "5000"
        found[one.app].append(_spoken(one.ip, port))
    return found


def addresses(wanted: Sequence[str]) -> dict[str, list[str]]:
    """Where a proxy on this host finds each app, in one question to docker; none where nothing runs."""
    found = {app: [one.ip for one in network_settings.listeners(app)] for app in wanted}
    serving = [one for app in wanted if not found[app] for one in _registered(app, WEB)]
    alive = containers.states(serving) if serving else {}
    for one in _reachable(serving, alive):
        found[one.app].append(one.ip)
    return found


def rows(app: str) -> list[Row]:
    return network_settings.rows(app, of(app))


def reporter(words: Sequence[str] | None) -> Callable[[str], Sequence[Row]]:
    """What network:report knows of an app, a function. words: of its call; docker is asked once for all."""
    named = [word for word in words or [] if not word.startswith("--")]

    @functools.cache
    def known() -> dict[str, list[str]]:
        return of_all(named or apps.names())

    return lambda app: network_settings.rows(app, known().get(app, []))


def _registered(app: str, process: str) -> list[Container]:
    return [one for one in containers.registered(app) if one.process == process]


def _reachable(serving: Sequence[Container], alive: Mapping[str, State]) -> list[Container]:
    """Those that run, with the addresses that they have now."""
    states = [(one, alive.get(one.id)) for one in serving]
    return [one._replace(ip=state.ip) for one, state in states if state and state.running and state.ip]


def _spoken(ip: str, port: str) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"

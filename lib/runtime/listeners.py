"""Where an app listens: at its running web containers, or at what its static-web-listener names."""

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence

from lib.app import apps, network_settings, ports, reports
from lib.app.network_settings import Listener
from lib.base import locks, log, values
from lib.base.errors import Locked
from lib.base.report import Row
from lib.runtime import containers, schedulers, sightings
from lib.runtime.containers import Container, State

WEB = "web"


def of(app: str, process: str = WEB) -> list[str]:
    """The addresses, `ip:port`, of the app's running containers of a process type."""
    return of_all([app], process)[app]


def of_all(wanted: Sequence[str], process: str = WEB) -> dict[str, list[str]]:
    """The same for many apps, in one question to docker."""
    return {
        app: [values.joined_host(one.ip, one.port or ports.upstream_port(app)) for one in found]
        for app, found in _found(wanted, process).items()
    }


def addresses(wanted: Sequence[str]) -> dict[str, list[str]]:
    """Where a proxy on this host finds each app, in one question to docker.

    None where nothing runs, nor is about to be started again at the address that it had. The files
    IP.PROCESS.INDEX, which plugins read, say the same afterwards.
    """
    return {app: [one.ip for one in found] for app, found in _found(wanted, WEB, returning=True).items()}


def rows(app: str) -> list[Row]:
    return network_settings.rows(app, of(app))


def reporter(words: Sequence[str] | None) -> Callable[[str], Sequence[Row]]:
    """What network:report knows of an app, a function. words: of its call; docker is asked once for all."""
    named = reports.asked(words).apps

    @functools.cache
    def known() -> dict[str, list[str]]:
        return of_all(named or apps.names())

    return lambda app: network_settings.rows(app, known().get(app, []))


def _found(wanted: Sequence[str], process: str, returning: bool = False) -> dict[str, list[Listener]]:
    found = {app: _told(app, process) for app in wanted}
    ours = [app for app in wanted if not found[app]]
    serving = [one for app in ours for one in containers.registered(app) if one.process == process]
    alive = containers.states(serving) if serving else {}
    for one in serving:
        state = alive.get(one.id)
        if state and state.ip and (state.running or (returning and state.returns)):
            found[one.app].append(Listener(state.ip, one.port if values.is_port(one.port) else ""))
    if returning:
        _note(serving, alive)
    return found


def _note(serving: Sequence[Container], alive: Mapping[str, State]) -> None:
    """Write down where running containers are; a deploy under way does that itself."""
    known = {one: alive[one.id] for one in serving if one.id in alive}
    moved = [one for one, state in known.items() if state.running and state.ip not in ("", one.ip)]
    for app in sorted({one.app for one in moved}):
        with log.only_warned(), contextlib.suppress(Locked), locks.deploy(app, despite_operator=True):
            containers.note_addresses(app, {one.id: alive[one.id].ip for one in moved if one.app == app})


def _told(app: str, process: str) -> list[Listener]:
    """What somebody said who knows better than docker: the app's owner, or the scheduler of a plugin."""
    static = network_settings.listeners(app) if process == WEB else []
    is_ours = schedulers.is_docker_local(schedulers.selected(app))
    return static or ([] if is_ours else sightings.of(app, process))

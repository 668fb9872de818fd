"""Bringing apps back after a reboot, or after docker was restarted, so that none answers as another.

Containers keep their addresses on their apps' own networks. A vhost that leads elsewhere all the same (as an
older release wrote it) goes first, for all apps at once; then each app's containers start and its vhost is
written anew.
Running it again changes nothing. Source of the texts: dokku v0.24.0 plugins/ps.
"""

import datetime
import functools
from collections.abc import Mapping, Sequence

from lib.app import apps, batches, network_settings, process_settings, processes
from lib.base import locks, log, retry, triggers
from lib.base.errors import ToolFailed
from lib.proxy import batching, haproxy_vhosts, owners, traffic
from lib.runtime import attachments, containers, release_images, schedulers
from lib.runtime.containers import Container, State
from lib.tools import docker_networks

OFFLINE = 5  # seconds that an app which is up may wait for others to be put in force with it
PATIENCE = 10  # seconds that a started container has to be up


def restore(app: str = "", all_apps: bool = False, workers: int = 0) -> None:
    """Bring one app or all back; one that can't start stops no other.

    Fires: pre-restore, proxy-clear-config, pre-start, proxy-build-config or release-and-deploy, for each.
    Raises: DokkuError with the count of failures.
    """
    if not app and not all_apps:
        log.warn("Restore specified without app, assuming --all")
    all_apps = all_apps or not app
    stale = stale_vhosts(apps.chosen(app, all_apps))
    traffic.clear(stale)
    haproxy_vhosts.keep_up()
    together = functools.partial(batching.batched, patience=OFFLINE)
    batches.each("restore", lambda name: _bring_back(name, name in stale), app, all_apps, workers, together)


def stale_vhosts(names: Sequence[str]) -> list[str]:
    """The apps whose vhost does not lead to just their own running web containers. Asks docker once."""
    serving = {app: containers.registered(app) for app in names}
    alive = _states(serving)
    return [app for app in names if not _is_current(app, serving[app], alive)]


def keep_up(names: Sequence[str]) -> None:
    """Start what somebody killed of some apps, and have the proxy lead to where their containers are.

    Docker restarts what crashed, but not what `docker kill` ended, nor what ended well when docker itself was
    stopped. Asks docker once, and again if it started
    any. Containers that an older release made get addresses that they keep. An app that was stopped stays so;
    one that is being deployed is left to that.
    """
    haproxy_vhosts.keep_up()
    ours = [app for app in _ours(names) if not locks.is_running(app)]
    serving = {app: containers.registered(app) for app in ours}
    alive = _states(serving)
    killed = [
        state
        for state in (*(one for one in alive.values() if one.killed), *_ended_with_docker(alive))
        if process_settings.is_restored(state.app)
    ]
    if killed:
        _revive(killed)
        alive = _states(serving)
    if lacking := sorted({state.app for state in alive.values() if state.running and state.lacks_own}):
        _join(lacking)
        alive = _states(serving)
    astray = [app for app in ours if owners.is_known(app) and not _is_current(app, serving[app], alive)]
    _rewrite(astray)


def _ours(names: Sequence[str]) -> list[str]:
    return [app for app in names if schedulers.is_docker_local(schedulers.selected(app))]


def _states(serving: Mapping[str, Sequence[Container]]) -> dict[str, State]:
    return containers.states(one for found in serving.values() for one in found)


def _ended_with_docker(alive: Mapping[str, State]) -> list[State]:
    """Containers that ended well before docker was started: it took them down, and leaves them."""
    ended = [state for state in alive.values() if state.finished_at]
    since = _time(docker_networks.daemon_start()) if ended else 0.0
    return [state for state in ended if 0 < _time(state.finished_at) < since]


def _time(text: str) -> float:
    """Seconds since 1970 of docker's ISO times; 0 for none."""
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0


def _revive(killed: Sequence[State]) -> None:
    for state in killed:
        what = "was killed" if state.killed else "ended with docker"
        log.info1(f"{state.process}.{state.index} of {state.app} {what}, it is started again")
    with log.only_warned():
        containers.revive(killed)


def _join(names: Sequence[str]) -> None:
    """Put containers that an older release made on their apps' own networks. What fails is only told."""
    for app in names:
        with log.only_warned():
            attachments.follow(app)


def _rewrite(names: Sequence[str]) -> None:
    """Write vhosts anew. What can't be done is only told: there is a next time. Fires: proxy-build-config."""
    with log.only_warned(), batching.batched():
        for app in names:
            log.info1(f"The containers of {app} have moved, its vhost follows")
            with log.only_warned():
                triggers.fire("proxy-build-config", app)


def _bring_back(app: str, is_stale: bool) -> None:
    scheduler = schedulers.selected(app)
    triggers.fire("pre-restore", scheduler, app)
    if is_stale:
        log.info1("Clearing potentially invalid proxy configuration")
        triggers.fire("proxy-clear-config", app)
    is_elsewhere = bool(_static(app))
    if is_elsewhere:  # whatever becomes of containers, visitors are led to where people said
        triggers.fire("proxy-build-config", app)
    if not apps.is_deployed(app):
        if not is_elsewhere:
            log.warn(f"App {app} has not been deployed")
        return
    if not process_settings.is_restored(app):
        log.warn(f"Skipping ps:restore for {app} as DOKKU_APP_RESTORE=0")
        return
    log.info1("Starting app")
    with locks.deploy(app, despite_operator=True):  # a reboot must not take a locked app down
        triggers.fire("pre-start", app)
        if not schedulers.is_docker_local(scheduler):
            triggers.fire("release-and-deploy", app)
        elif _start(app):
            triggers.fire("proxy-build-config", app)
        else:
            release_images.verify(app)
            triggers.fire("release-and-deploy", app)


def _start(app: str) -> bool:
    """Start the containers of the last deploy; False when one is missing or does not come up."""
    serving = containers.registered(app)
    known = {(one.process, one.index) for one in serving}
    wanted = {(process, index + 1) for process, count in processes.wanted(app) for index in range(count)}
    if not wanted <= known or len(containers.states(serving)) < len(serving):
        return False
    try:
        if containers.start_registered(app) or not serving:
            return True
    except ToolFailed as error:  # a network went, and came back as another: new containers can have that one
        log.warn(error.text)
        return False
    return retry.until(lambda: _run(containers.registered(app)), timeout=PATIENCE, every=1)


def _run(serving: Sequence[Container]) -> bool:
    alive = containers.states(serving)
    return all(one.id in alive and alive[one.id].running for one in serving)


def _is_current(app: str, serving: Sequence[Container], alive: dict[str, State]) -> bool:
    """Whether visitors are led to each web container of the app, and to nobody else but other ones of its."""
    there = [alive[one.id] for one in serving if one.id in alive and alive[one.id].ip]
    static = _static(app)
    wanted = static or {state.ip for state in there if state.process == "web" and state.running}
    return wanted <= traffic.addresses(app) <= (static or {state.ip for state in there})


def _static(app: str) -> set[str]:
    """The addresses that people have set for the app, whatever docker does."""
    return {one.ip for one in network_settings.listeners(app)}

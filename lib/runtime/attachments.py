"""Containers on networks besides the one they were made on: attached when made, or when all are up.

There others find a deployed container as APP.PROCESS and HOSTNAME.APP.PROCESS, each with the app's tld.
Source: dokku v0.24.0 plugins/network.
"""

import contextlib
from collections.abc import Iterable, Sequence

from lib.app import apps, network_settings
from lib.base import locks, log, triggers
from lib.base.errors import DokkuError, Locked, ToolFailed
from lib.runtime import addresses, containers, own_networks, schedulers
from lib.runtime.containers import State
from lib.tools import docker, docker_networks


def attach_created(kind: str, id_: str, app: str, phase: str, process: str = "", *_: str) -> None:
    """Attach a container that has not started yet to its app's networks; as post-container-create.

    kind: app, or service for what a plugin made. Only what is deployed gets names.
    Raises: DokkuError when a network is not there, or docker refuses.
    """
    wanted = network_settings.attached(app, network_settings.ON_CREATE) if kind == "app" else []
    if not wanted:
        return
    _verify(wanted)
    for known in docker.inspect(id_):
        names = _names(app, process, known["Config"].get("Hostname", "")) if phase == "deploy" else []
        _connect(id_, [name for name in wanted if name not in addresses.networks(known)], names)


def attach_deployed(app: str) -> None:
    """Attach the containers that serve the app to its networks.

    Raises: DokkuError when a network is not there, or docker refuses.
    """
    wanted = network_settings.attached(app, network_settings.ON_DEPLOY)
    serving = containers.registered(app)
    if not wanted or not serving:
        return
    for name in wanted:
        log.info1_quiet(f"Associating app with network {name}")
    _attach(containers.states(serving).values(), wanted)


def rebuilt(app: str) -> None:
    """`rebuild`, and the proxy follows an app that moved. Fires: proxy-build-config."""
    if rebuild(app):
        triggers.fire("proxy-build-config", app)


def follow(app: str, *_: str) -> None:
    """`rebuild` as network-build-config: a deploy of another process does it by itself."""
    with contextlib.suppress(Locked):
        rebuild(app)


def rebuild(app: str) -> bool:
    """Put the running containers of an app back on its networks, and note where they are; whether they moved.

    Nothing for an app that was not deployed, or whose address is static. Raises: Locked during a deploy of
    another process; DokkuError when a network is not there.
    """
    if not schedulers.is_docker_local(schedulers.selected(app)) or not apps.is_deployed(app):
        return False
    log.info1(f"Ensuring network configuration is in sync for {app}")
    if network_settings.listeners(app):
        return False
    with locks.deploy(app, despite_operator=True):
        serving = containers.registered(app)
        states = [state for state in containers.states(serving).values() if state.running]
        keys = (network_settings.ON_CREATE, network_settings.ON_DEPLOY)
        wanted = [name for key in keys for name in network_settings.attached(app, key)]
        lacking = [state.id for state in states if state.lacks_own]
        if lacking:
            own_networks.attach(app, lacking)
        if _attach(states, wanted) or lacking:
            states = list(containers.states(serving).values())
        return containers.note_addresses(app, {state.id: state.ip for state in states})


def _attach(states: Iterable[State], wanted: Sequence[str]) -> bool:
    """Attach running containers to the networks they are not on; whether there were any."""
    missing = [(state, [name for name in wanted if name not in state.networks]) for state in states]
    if any(names for _, names in missing):
        _verify(wanted)
    for state, names in missing:
        _connect(state.id, names, _names(state.app, state.process, state.hostname))
    return any(names for _, names in missing)


def _verify(wanted: Sequence[str]) -> None:
    there = {network.name for network in docker_networks.all_()}
    for name in wanted:
        if name not in there:
            raise DokkuError(f"Network {name} does not exist")


def _names(app: str, process: str, hostname: str) -> list[str]:
    alias = network_settings.alias(app, process)
    return [alias, *([f"{hostname}.{alias}"] if hostname else [])]


def _connect(id_: str, wanted: Sequence[str], names: Sequence[str]) -> None:
    for name in wanted:
        try:
            docker_networks.connect(name, id_, names)
        except ToolFailed as error:
            reason = error.text.removeprefix("docker network connect: ")
            raise DokkuError(f"Unable to attach container to network: {reason}") from error

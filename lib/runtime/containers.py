"""The containers that serve an app: which they are, their state, and putting new ones in their place.

Which containers serve is a set of files in the app's directory: CONTAINER.PROCESS.INDEX holds an id, IP.* and
PORT.* the address it had when it started. While a deploy switches from one set to the next, its journal
(data/scheduler-docker-local/APP/switching.json) counts instead, so that a crash leaves one set or the other.
Source: dokku v0.24.0 plugins/scheduler-docker-local; plugins read the files.
"""

import functools
import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lib.base import files, log, settings, signals, values
from lib.runtime import addresses
from lib.tools import docker

CRASHES, STEADY = 3, 60  # that many restarts, the last less than so many seconds ago, are a crash loop

_ID = re.compile(r"[0-9a-f]{12,64}")
_INDEX = re.compile(r"[0-9]{1,9}", re.ASCII)


class Container(NamedTuple):
    """One process of an app: web.1 is (app, "web", 1)."""

    app: str
    process: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    id: str
    ip: str = ""
    port: str = ""


class State(NamedTuple):
    """What docker says of a container. status: docker's word (running, exited). started_at: its ISO time.

    killed: it has ended, and its restart policy would have it run; docker leaves what `docker kill` ended.
    returns: it is down, and docker or `ps:retire` starts it again. ip: where the host reaches it; of one that
    is down only if it keeps that address. networks: their names. lacks_own: it is to be put on its app's own.
    finished_at: when it ended, for one that its policy leaves down though nobody has stopped it for good.
    crashing: it keeps ending and being started again, whether or not it runs at the moment.
    """

    id: str
    app: str
    process: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    name: str
    status: str
    running: bool
    restarts: int
    ip: str
    image: str
    started_at: str
    killed: bool
    networks: frozenset[str] = frozenset()
    hostname: str = ""
    returns: bool = False
    lacks_own: bool = False
    finished_at: str = ""
    crashing: bool = False


class _Journal(NamedTuple):
    new: list[Container]
    old: list[str]


def registered(app: str) -> list[Container]:
    """The containers that serve the app, by process type and index. What names no container is left out."""
    journal = _journal(app)
    return sorted(journal.new if journal else _pointers(app))


def replaced(app: str) -> list[str]:
    """The ids of older containers that a killed deploy left serving: the next one retires them."""
    journal = _journal(app)
    return journal.old if journal else []


def is_id(text: str) -> bool:
    """Whether this can be a container's id: files that people edit hold them."""
    return _ID.fullmatch(text) is not None


def states(containers: Iterable[Container]) -> dict[str, State]:
    """What docker says of each, by id, in one call. Absent: those that are gone or belong to another app."""
    wanted = {container.id: container for container in containers}
    drivers = functools.cache(addresses.drivers)
    found = {}
    for known in docker.inspect(*wanted):
        container = wanted.get(known["Id"])
        marks = known["Config"].get("Labels") or {}
        if container and marks.get("com.dokku.app-name") == container.app:
            found[container.id] = _state(container, known, drivers)
    return found


def revive(killed: Iterable[State]) -> None:
    """Start containers that somebody killed."""
    docker.start(*(state.id for state in killed))


def labels(app: str, process: str, index: int) -> dict[str, str]:
    """The labels by which a container is known to be the app's."""
    return {
        **settings.LABELS,
        "com.dokku.app-name": app,
        "com.dokku.container-type": "deploy",
        "com.dokku.process-type": process,
        "com.dokku.dyno": f"{process}.{index}",
    }


def stop(containers: Iterable[Container], patience: int) -> None:
    """Stop some containers for good: docker's restart policy must not bring them back."""
    ids = [container.id for container in containers]
    if ids:
        docker.never_restart(*ids)
        docker.stop(*ids, patience=patience)


def restart_policies(ids: Iterable[str]) -> dict[str, str]:
    """The restart policy (`on-failure:10`) of each running container, by id."""
    found = {}
    for known in docker.inspect(*ids):
        policy = known["HostConfig"].get("RestartPolicy") or {}
        name, most = policy.get("Name") or "no", int(policy.get("MaximumRetryCount") or 0)
        if known["State"]["Running"]:
            found[known["Id"]] = f"{name}:{most}" if most and name == "on-failure" else name
    return found


def start_again(policies: Mapping[str, str]) -> None:
    """Start stopped containers, and give them back the restart policies that `stop` took."""
    for policy in sorted(set(policies.values())):
        ids = [id_ for id_, own in policies.items() if own == policy]
        docker.restart_by(policy, *ids)
        docker.start(*ids)


def start_registered(app: str) -> bool:
    """Start the containers that serve the app, all at once; False when one is gone or does not run."""
    serving = registered(app)
    known = states(serving)
    if not serving or len(known) != len(serving):
        return False
    asleep = [container.id for container in serving if not known[container.id].running]
    if asleep:
        docker.start(*asleep)
    return all(state.running for state in states(serving).values())


def remove_all(app: str) -> None:
    """Remove every container of the app, registered or not, and forget them."""
    ids = docker.containers(f"label=com.dokku.app-name={app}")
    if ids:
        docker.remove(*ids, has_data=False)
    files.remove(_journal_path(app))
    _write_pointers(app, [])


def adopt(app: str, new: Sequence[Container], old: Sequence[str]) -> None:
    """Make new containers the ones that serve, all pointers at once. old: ids to retire after the switch.

    The journal stays until `settle`, so that a kill in between loses neither set.
    """
    entries = [list(container[1:]) for container in new]
    _put(_journal_path(app), json.dumps({"new": entries, "old": list(old)}), 0o600)
    signals.failpoint("journal-written")
    _write_pointers(app, new)
    signals.failpoint("pointers-written")


def withdraw(app: str, before: Sequence[Container], old: Sequence[str]) -> None:
    """Put the pointers back to the containers that served before.

    old: ids of containers that an earlier kill had left besides.
    """
    if old:
        adopt(app, before, old)
        return
    _write_pointers(app, before)
    files.remove(_journal_path(app))


def differ(app: str, before: Sequence[Container]) -> bool:
    """Whether other containers serve the app than before."""
    return registered(app) != list(before)


def settle(app: str) -> None:
    """The switch is complete: its journal has done its work."""
    files.remove(_journal_path(app))


def is_switching(app: str) -> bool:
    """Whether a deploy was killed between its two sets of containers (or is just there)."""
    return _journal(app) is not None


def remove_orphans(app: str, spared: Iterable[str]) -> None:
    """Remove containers that killed deploys of this app left: neither serving nor spared.

    None while a file that says who serves is damaged: the next deploy writes it anew. Under the lock only.
    """
    damaged = _damaged(app)
    if damaged:
        log.warn(f"{damaged} names no container: what serves is unknown, so nothing is removed")
        return
    kept = {container.id for container in registered(app)} | set(replaced(app)) | set(spared)
    types = docker.labelled("com.dokku.container-type", f"label=com.dokku.app-name={app}")
    lost = [id_ for id_, type_ in types.items() if type_ in ("deploy", "peek") and id_ not in kept]
    if lost:
        docker.never_restart(*lost)
        docker.remove(*lost, has_data=False)


def note_addresses(app: str, ips: Mapping[str, str]) -> bool:
    """Write down at which addresses registered containers are now, by id; whether any has moved.

    Not while a deploy is between its two sets: it writes all of them.
    """
    known = registered(app)
    moved = [container._replace(ip=ips.get(container.id) or container.ip) for container in known]
    if moved == known or is_switching(app):
        return False
    _write_pointers(app, moved)
    return True


def _state(container: Container, known: docker.Json, drivers: addresses.Drivers) -> State:
    return State(
        id=container.id,
        app=container.app,
        process=container.process,
        index=container.index,
        name=known["Name"].removeprefix("/"),
        status=known["State"]["Status"],
        running=bool(known["State"]["Running"]) and not known["State"].get("Restarting"),
        restarts=int(known["RestartCount"]),
        ip=addresses.preferred(known, drivers),
        image=known["Image"],
        started_at=known["State"]["StartedAt"],
        killed=_is_wanted(known),
        networks=frozenset(addresses.networks(known)),
        hostname=known["Config"].get("Hostname", ""),
        returns=_is_wanted(known) or known["State"]["Status"] == "restarting",
        lacks_own=addresses.lacks_own(known),
        finished_at=_left_at(known),
        crashing=_is_crashing(known),
    )


def _is_crashing(known: docker.Json) -> bool:
    """Whether a container waits for its next start, or has started just now and not for the first time."""
    state, restarts = known["State"], int(known["RestartCount"])
    if state["Status"] == "restarting":
        return True
    if restarts < CRASHES or not state["Running"]:
        return False
    import datetime

    started = datetime.datetime.fromisoformat(state["StartedAt"])
    return time.time() - started.timestamp() < STEADY


def _left_at(known: docker.Json) -> str:
    """When a container ended well whose policy has it run again after a failure only; empty for others."""
    name = (known["HostConfig"].get("RestartPolicy") or {}).get("Name")
    is_left = known["State"]["Status"] == "exited" and name == "on-failure" and not _is_wanted(known)
    return str(known["State"].get("FinishedAt") or "") if is_left else ""


def _is_wanted(known: docker.Json) -> bool:
    """Whether a container that has ended should run, by its restart policy.

    Not when docker has given it up after the policy's count of attempts, nor by `unless-stopped`, which
    leaves what people stopped.
    """
    policy = known["HostConfig"].get("RestartPolicy") or {}
    most = int(policy.get("MaximumRetryCount") or 0)
    failed = bool(known["State"].get("ExitCode")) and (not most or int(known["RestartCount"]) < most)
    name = policy.get("Name")
    return known["State"]["Status"] == "exited" and (name == "always" or (name == "on-failure" and failed))


def _pointers(app: str) -> list[Container]:
    """What the files say. Source: CONTAINER.PROCESS.INDEX; `CONTAINER` alone is a web.1 of before 0.4."""
    found = []
    for name, process, index in _pointer_files(app):
        suffix = name.removeprefix("CONTAINER")
        id_, ip, port = (_read(app, f"{kind}{suffix}") for kind in ("CONTAINER", "IP", "PORT"))
        if is_id(id_):
            found.append(Container(app, process, index, id_, ip, port))
    return found


def _pointer_files(app: str) -> list[tuple[str, str, int]]:
    """Name, process and index of every file that names a container."""
    directory = settings.app_dir(app)
    found = []
    for name in os.listdir(directory) if os.path.isdir(directory) else []:
        kind, *place = name.split(".") if name != "CONTAINER" else ["CONTAINER", "web", "1"]
        if (
            kind == "CONTAINER"
            and len(place) == 2
            and values.is_process(place[0])
            and _INDEX.fullmatch(place[1])
        ):
            found.append((name, place[0], int(place[1])))
    return found


def _read(app: str, name: str) -> str:
    path = os.path.join(settings.app_dir(app), name)
    return "" if os.path.isdir(path) else files.read(path).strip()


def _damaged(app: str) -> str:
    """The path of a file that should say who serves and does not; empty when all is well."""
    if _journal(app) is not None:
        return ""
    if os.path.exists(_journal_path(app)):
        return _journal_path(app)
    names = [name for name, _, _ in _pointer_files(app) if not is_id(_read(app, name))]
    return os.path.join(settings.app_dir(app), names[0]) if names else ""


def _write_pointers(app: str, containers: Sequence[Container]) -> None:
    directory = settings.app_dir(app)
    wanted: dict[str, str] = {}
    for container in containers:
        suffix = f"{container.process}.{container.index}"
        wanted[f"CONTAINER.{suffix}"] = container.id + "\n"
        wanted[f"IP.{suffix}"] = container.ip
        wanted[f"PORT.{suffix}"] = container.port
    for name, content in wanted.items():
        _put(os.path.join(directory, name), content, 0o644)
    for name in os.listdir(directory) if os.path.isdir(directory) else []:
        if name.split(".")[0] in ("CONTAINER", "IP", "PORT") and name not in wanted:
            files.remove(os.path.join(directory, name))


def _put(path: str, content: str, mode: int) -> None:
    """Write a file that says something else: what is right already takes no room on a full disk."""
    if files.read(path) != content or not os.path.isfile(path):
        files.replace(path, content, mode)


def _journal(app: str) -> _Journal | None:
    """The journal; None when there is none, or one that can't be read."""
    try:
        found = json.loads(files.read(_journal_path(app)) or "null")
        new = [Container(app, process, int(index), *rest) for process, index, *rest in found["new"]]
        journal = _Journal(new, list(found["old"]))
        ids = [*(container.id for container in new), *journal.old]
        usable = all(values.is_process(container.process) for container in new) and all(map(is_id, ids))
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
        return None
    return journal if usable else None


def _journal_path(app: str) -> str:
    return os.path.join(settings.data("scheduler-docker-local", app), "switching.json")

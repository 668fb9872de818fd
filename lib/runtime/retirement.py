"""Old containers leave late: a durable list that `ps:retire` and the end of every deploy work off.

data/scheduler-docker-local/dead-containers holds lines `APP ID DEADLINE`, the deadline in seconds since 1970.
Source: dokku v0.24.0 plugins/scheduler-docker-local, scheduler-register-retired and scheduler-retire.
"""

import contextlib
import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from lib.base import files, log, settings, values
from lib.base.errors import DokkuError
from lib.build import images
from lib.runtime import containers, schedulers
from lib.tools import docker


class Entry(NamedTuple):
    app: str
    id: str
    deadline: int


def register(app: str, ids: Sequence[str], wait: int) -> None:
    """Let containers be stopped and removed once `wait` seconds are over."""
    deadline = int(time.time()) + wait
    with files.locked(_path()):
        known = entries()
        kept = [entry for entry in known if entry.id not in ids]
        _write([*kept, *(Entry(app, id_, deadline) for id_ in ids)])


def entries() -> list[Entry]:
    """Everything that still waits to be retired; what is no such line is left out."""
    found = []
    for line in files.read_lines(_path()):
        words = line.split()
        if len(words) == 3 and values.is_app_name(words[0]) and _is_entry(*words[1:]):
            found.append(Entry(words[0], words[1], int(words[2])))
    return found


def ids(app: str) -> list[str]:
    return [entry.id for entry in entries() if entry.app == app]


def work_off(app: str = "", stop_timeout: int = schedulers.STOP_TIMEOUT) -> list[str]:
    """Stop and remove what is due (of one app, or of all); the apps that had something.

    What serves again is never touched: it leaves the list. Raises: DokkuError when docker could not remove
    one; the list keeps them all for the next time.
    """
    now = time.time()
    due = [entry for entry in entries() if entry.deadline <= now and app in ("", entry.app)]
    touched = sorted({entry.app for entry in due})
    serving = {container.id for name in touched for container in containers.registered(name)}
    gone = [entry.id for entry in due if entry.id not in serving]
    if gone:
        _remove([entry for entry in due if entry.id in gone], stop_timeout)
    if due:
        with files.locked(_path()):
            _write([entry for entry in entries() if entry not in due])
    for name in touched if gone else []:
        images.remove_unused(name)
    return touched


def forget(app: str) -> None:
    """Drop an app's lines: its containers went with it."""
    with files.locked(_path()):
        known = entries()
        kept = [entry for entry in known if entry.app != app]
        if kept != known:
            _write(kept)


def _remove(leaving: Sequence[Entry], stop_timeout: int) -> None:
    for entry in leaving:
        log.info1_quiet(f"Attempting to retire {entry.app} container {entry.id[:12]}")
    ids = [entry.id for entry in leaving]
    with contextlib.suppress(DokkuError):  # one that docker can't stop holds up no other; it is killed below
        docker.never_restart(*ids)
    with contextlib.suppress(DokkuError):
        docker.stop(*ids, patience=stop_timeout)
    docker.remove(*ids)


def _is_entry(id_: str, deadline: str) -> bool:
    return containers.is_id(id_) and values.is_number(deadline)


def _write(kept: list[Entry]) -> None:
    files.replace_lines(_path(), [f"{entry.app} {entry.id} {entry.deadline}" for entry in kept], mode=0o644)


def _path() -> str:
    return os.path.join(settings.data("scheduler-docker-local"), "dead-containers")

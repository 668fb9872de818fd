"""Old containers leave late: a durable list that `ps:retire` and the end of every deploy work off.

data/scheduler-docker-local/dead-containers holds lines `APP ID DEADLINE`, the deadline in seconds since 1970.
Source: dokku v0.24.0 plugins/scheduler-docker-local, scheduler-register-retired and scheduler-retire.
"""

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from lib.base import files, log, settings, values
from lib.tools import docker

STOP_PATIENCE = 30  # seconds between SIGTERM and SIGKILL unless the app says otherwise


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
    """Everything that still waits to be retired."""
    found = []
    for line in files.read_lines(_path()):
        words = line.split()
        if len(words) == 3 and values.is_number(words[2]):
            found.append(Entry(words[0], words[1], int(words[2])))
    return found


def ids(app: str) -> list[str]:
    return [entry.id for entry in entries() if entry.app == app]


def work_off(app: str = "", stop_timeout: int = STOP_PATIENCE) -> list[str]:
    """Stop and remove what is due (of one app, or of all); the apps that had something."""
    now = time.time()
    due = [entry for entry in entries() if entry.deadline <= now and app in ("", entry.app)]
    if not due:
        return []
    for entry in due:
        log.info1_quiet(f"Attempting to retire {entry.app} container {entry.id[:12]}")
    gone = [entry.id for entry in due]
    docker.never_restart(*gone)
    docker.stop(*gone, patience=stop_timeout)
    docker.remove(*gone)
    with files.locked(_path()):
        _write([entry for entry in entries() if entry.id not in gone])
    touched = sorted({entry.app for entry in due})
    for name in touched:
        docker.prune_images("dangling=true", f"label=com.dokku.app-name={name}")
    return touched


def forget(app: str) -> None:
    """Drop an app's lines: its containers went with it."""
    with files.locked(_path()):
        _write([entry for entry in entries() if entry.app != app])


def _write(kept: list[Entry]) -> None:
    files.replace_lines(_path(), [f"{entry.app} {entry.id} {entry.deadline}" for entry in kept], mode=0o644)


def _path() -> str:
    return os.path.join(settings.data("scheduler-docker-local"), "dead-containers")

"""What an app's containers say: one reader per container, every line whole, in Dokku's form.

Source: dokku v0.24.0 plugins/scheduler-docker-local/scheduler-logs.
"""

import collections
import contextlib
import os
import threading
from collections.abc import Callable, Sequence

from lib.app import apps
from lib.base import files, log, run, settings, tee, triggers, values
from lib.base.errors import DokkuError, ToolFailed, UsageError
from lib.runtime import containers, schedulers
from lib.runtime.containers import Container
from lib.tools import docker

EVERYTHING = 10**9  # lines
LONGEST = 16 * 1024  # bytes of a line in a report of a failure
COLOURS = (36, 33, 32, 35, 31)


def request(app: str, process: str, follow: bool, plain: bool, lines: str) -> None:
    """Have the app's scheduler print its output. lines: a count. Fires: scheduler-logs.

    Raises: DokkuError for an app that was not deployed, UsageError for a bad count.
    """
    count = verify_count(lines)
    if not apps.is_deployed(app):
        raise DokkuError(f"App {app} has not been deployed")
    words = (process, str(follow).lower(), str(plain).lower(), str(count))
    triggers.fire("scheduler-logs", schedulers.selected(app), app, *words)


def verify_count(lines: str) -> int:
    """How many lines somebody asked for. Raises: UsageError for what is no count."""
    if not values.is_number(lines) or int(lines) < 0:
        raise UsageError(f'invalid argument "{values.printable(lines)}" for "-n, --num" flag')
    return int(lines)


def request_failed(app: str) -> None:
    """The same for containers that failed in a deploy. Fires: scheduler-logs-failed."""
    triggers.fire("scheduler-logs-failed", schedulers.selected(app), app)


def show(app: str, process: str = "", follow: bool = False, plain: bool = False, lines: int = 100) -> None:
    """Print the last lines of the app's containers, and with follow whatever comes next.

    process: of this type, `web`, or this container, `web.1`, only; one the app does not have says nothing.
    The rest: `show_all`.
    """
    serving = containers.registered(app)
    alive = containers.states(serving)
    chosen = [one for one in serving if one.id in alive and process in ("", one.process, name(one))]
    show_all(chosen, follow, plain, lines)


def show_all(chosen: Sequence[Container], follow: bool, plain: bool, lines: int) -> None:
    """Print the last lines of some containers, and with follow whatever comes next.

    plain: as the containers wrote it, without time and name. Following ends with Ctrl-C, with the
    containers, or when nobody reads any more.
    """
    readers = [
        threading.Thread(target=_print, args=(one, number, lines, follow, plain), daemon=True)
        for number, one in enumerate(chosen)
    ]
    for reader in readers:
        reader.start()
    try:
        with tee.watched(1) as is_read:
            while any(reader.is_alive() for reader in readers) and (not follow or is_read()):
                _join(readers, 0.2)
    finally:
        run.end_all()
        _join(readers, 10)


def last_lines(container: str, count: int) -> list[str]:
    """The last lines of one container, stderr among them; docker's words when it is gone."""
    said: collections.deque[str] = collections.deque(maxlen=count)

    def keep(line: bytes) -> None:
        said.append(line[:LONGEST].decode("utf-8", "replace").rstrip("\r\n"))

    try:
        _read(container, count, keep, timeout=docker.QUICK)
    except DokkuError as error:
        said.append(error.text)
    return list(said)


def show_failed(app: str) -> None:
    """Print what is left of containers that failed in deploys of dokku 0.24; ours are removed at once."""
    path = os.path.join(settings.data("scheduler-docker-local", app), "failed-containers")
    log.info2_quiet(f"{app} failed deploy logs")
    known = [line.split()[0] for line in files.read_lines(path)]
    if not known:
        log.warn("No failed containers found")
    left = {state["Id"] for state in docker.inspect(*known)}
    for id_ in known:
        if id_ in left:
            _read(id_, EVERYTHING, log.raw)
        else:
            log.warn(f"App container {id_} no longer running")


def name(container: Container) -> str:
    return f"{container.process}.{container.index}"


def formatted(line: bytes, container: Container, number: int) -> bytes:
    """A line that starts with docker's timestamp in Dokku's form: coloured time and name before it."""
    moment, separator, message = line.partition(b"Z ")
    if not separator or b" " in moment:
        moment, message = b"", line
    else:
        moment += b"Z "
    colour = COLOURS[number % len(COLOURS)]
    who = f"{container.app}[{name(container)}]:"
    return b"\x1b[%dm%s%s\x1b[0m %s\n" % (colour, moment, who.encode(), message.rstrip(b"\n"))


def _print(container: Container, number: int, lines: int, follow: bool, plain: bool) -> None:
    def each(line: bytes) -> None:
        log.raw(line if plain else formatted(line, container, number))

    try:
        _read(container.id, lines, each, follow, timestamps=not plain)
    except DokkuError as error:
        log.warn(error.text)


def _read(
    container: str,
    lines: int,
    each: Callable[[bytes], None],
    follow: bool = False,
    timestamps: bool = False,
    timeout: float = 0,
) -> None:
    argv = docker.logs_argv(container, lines, follow, timestamps)
    with contextlib.suppress(ToolFailed):  # docker said why, among the lines
        run.stream(*argv, each=each, merged=True, timeout=timeout)


def _join(readers: Sequence[threading.Thread], patience: float) -> None:
    for reader in readers:
        reader.join(patience / len(readers))

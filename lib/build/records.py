"""A record of each build: what it was of, who asked for it, what it said and how it ended.

They are $DOKKU_LIB_ROOT/data/builds/APP/N.json and N.log, readable for the system user only; the last `keep`
of them. One that says `running` while its process is gone was killed: who lists it finds that out.
"""

import contextlib
import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from lib.base import files, locks, log, procfs, properties, pushers, retry, settings, signals, tee, values
from lib.base.errors import DokkuError, Interrupted, reason
from lib.build import transcripts

RUNNING, SUCCEEDED, FAILED, CANCELLED, KILLED = "running", "succeeded", "failed", "cancelled", "killed"
PLUGIN, KEEP, MOST = "builds", 20, 10000
_FILE = re.compile(r"([1-9][0-9]{0,8})\.(json|log)")
_under_way: dict[str, "Record"] = {}  # by app, in this process


class Record(NamedTuple):
    """started, ended: seconds since 1970, ended 0 until it has. process_start: as procfs.started."""

    number: int
    revision: str
    user: str
    pid: int
    process_start: str
    started: int
    builder: str = ""
    ended: int = 0
    outcome: str = RUNNING


@contextlib.contextmanager
def kept(app: str, revision: str) -> Iterator[None]:
    """Keep what is said inside the block, and how it ends. To be entered while the deploy lock is held.

    A push that nobody waits for any more is cancelled: git, which would have to move the branch, is gone.
    What can't be kept is no reason not to build. A build inside a build of the app is part of that one.
    """
    if app in _under_way:
        yield
        return
    outcome = SUCCEEDED
    try:
        with signals.deferred():
            _begin(app, revision)
        with _transcript(app) as noted, _reported(noted) as write, _overheard(write):
            yield
    except BaseException as error:
        outcome = CANCELLED if isinstance(error, KeyboardInterrupt) else FAILED
        raise
    finally:
        with signals.deferred():
            if outcome != SUCCEEDED:
                pushers.drop_received()
            _end(app, outcome)


def note_builder(app: str, builder: str) -> None:
    """Write down who builds, in the record of the build under way."""
    if app in _under_way:
        _under_way[app] = _under_way[app]._replace(builder=builder)
        with contextlib.suppress(OSError):  # it is written again at the end
            _write(app, _under_way[app])


def under_way(app: str) -> Record | None:
    """The build of an app that this process is at."""
    return _under_way.get(app)


def all_(app: str) -> list[Record]:
    """Every record of an app, the oldest first."""
    return [record for number in _numbers(app) if (record := _read(app, number))]


def last(app: str) -> Record | None:
    """The newest record of an app; None before its first build."""
    return next((record for number in reversed(_numbers(app)) if (record := _read(app, number))), None)


def find(app: str, number: str = "") -> Record:
    """One record, the last if no number is given. Raises: DokkuError for one that is not there."""
    if number and not (values.is_number(number) and int(number) > 0):
        raise DokkuError(f"Invalid build number: {values.printable(number)}")
    for known in reversed(_numbers(app)):
        record = _read(app, known) if number in ("", str(known)) else None
        if record:
            return record
    raise DokkuError(f"App {app} has no build {number}" if number else f"App {app} has not been built yet")


def show(app: str, number: str = "", follow: bool = False) -> None:
    """Print what a build said; follow: and what it says until it ends."""
    record = find(app, number)
    path = _path(app, record.number, "log")
    if follow:
        transcripts.follow(path, lambda: not _is_running(app, record.number))
    else:
        transcripts.show(path)


def cancel(app: str) -> str:
    """End the build of an app that is under way, and wait until it has ended; what was ended.

    A deploy without a build (ps:restart) is ended as well. Raises: DokkuError when there is none, or when it
    does not end.
    """
    record = next((record for record in reversed(all_(app)) if record.outcome == RUNNING), None)
    pid, start, command = (record.pid, record.process_start, "") if record else locks.holder(app)
    if not pid or not _terminated(pid, start):
        raise DokkuError(f"No build of {app} is running")
    number = record.number if record else 0
    what = f"build {number} of {app}" if record else f"the deploy of {app} ({command or 'dokku'})"

    def has_ended() -> bool:
        return not _is_running(app, number) if number else locks.holder(app)[0] != pid

    if not retry.until(has_ended, timeout=60, every=0.1):
        raise DokkuError(f"{what[0].upper()}{what[1:]} has been asked to end, and has not yet")
    return what


def keep(app: str) -> int:
    """How many records an app may have."""
    for owner in (app, properties.GLOBAL):
        text = properties.get(PLUGIN, owner, "keep")
        if is_count(text):
            return int(text)
    return KEEP


def is_count(text: str) -> bool:
    return values.is_number(text) and 1 <= int(text) <= MOST


def copy(old: str, new: str) -> None:
    """Give an app the records of another, whose name it takes over."""
    if os.path.isdir(_directory(old)):
        shutil.copytree(_directory(old), _directory(new), dirs_exist_ok=True)


def forget(app: str) -> None:
    files.remove(_directory(app))


def _begin(app: str, revision: str) -> None:
    try:
        _under_way[app] = _new(app, revision)
    except OSError as error:
        log.warn(f"Unable to keep a record of this build: {error.strerror}")


def _new(app: str, revision: str) -> Record:
    directory = _directory(app)
    files.make_directory(os.path.dirname(directory))
    files.make_directory(directory, 0o700)
    number = max(_numbers(app), default=0) + 1
    _drop_old(app, keep(app) - 1)
    user, pid = os.environ.get("SSH_NAME") or "default", os.getpid()
    record = Record(number, revision, user, pid, procfs.started(pid), int(time.time()))
    _write(app, record)
    try:
        transcripts.begin(_path(app, number, "log"))
    except OSError:
        _remove(app, number)
        raise
    return record


def _end(app: str, outcome: str) -> None:
    record = _under_way.pop(app, None)
    if record is None:
        return
    record = record._replace(ended=int(time.time()), outcome=outcome)
    for _ in range(2):
        with contextlib.suppress(OSError):
            _write(app, record)
            return
        transcripts.give_room(_path(app, record.number, "log"))
    _remove(app, record.number)  # rather none than one that says `killed`


@contextlib.contextmanager
def _transcript(app: str) -> Iterator[Callable[[bytes], None]]:
    """What to do with each piece of output: nothing when there is no record."""
    record = _under_way.get(app)
    if record is None:
        yield _drop
        return
    with transcripts.written(_path(app, record.number, "log")) as write:
        yield write


def _drop(_data: bytes) -> None:
    pass


@contextlib.contextmanager
def _reported(write: Callable[[bytes], None]) -> Iterator[Callable[[bytes], None]]:
    """What ends the block is shown when all is cleared away; the transcript has it in lines of its own."""
    last = b""

    def remembering(data: bytes) -> None:
        nonlocal last
        last = data[-1:] or last
        write(data)

    def report(text: str) -> None:
        opened = "" if last in (b"", b"\n") else "\n"  # what was killed may have stopped within a line
        remembering(f"{opened} !     {text}\n".encode("utf-8", "surrogateescape"))

    try:
        yield remembering
    except DokkuError as error:
        for text in error.lines:
            report(text)
        raise
    except Interrupted as error:
        report(f"Cancelled ({signal.Signals(error.exit_code - 128).name})")
        raise
    except Exception as error:
        report(reason(error))
        raise


@contextlib.contextmanager
def _overheard(write: Callable[[bytes], None]) -> Iterator[None]:
    """All that is said in the block; of a thread whose output is collected, when the block ends."""
    sink = log.current_sink()
    if sink is None:
        with tee.copied(write, pushers.inherited(), _cancel_ourselves):
            yield
        return
    before = len(sink)
    try:
        yield
    finally:
        for _, data in sink[before:]:
            write(data)


def _cancel_ourselves() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


def _terminated(pid: int, process_start: str) -> bool:
    """Ask a process to end; the pid of one that has gone may be a stranger's by now."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if procfs.started(pid) != process_start:
            return False
        signal.pidfd_send_signal(process, signal.SIGTERM)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(process)


def _is_running(app: str, number: int) -> bool:
    record = _read(app, number)
    return record is not None and record.outcome == RUNNING


def _read(app: str, number: int) -> Record | None:
    import json

    try:
        record = Record(**json.loads(files.read(_path(app, number, "json"))))
    except (ValueError, TypeError):
        return None
    is_alive = procfs.started(record.pid) == record.process_start
    return record if record.outcome != RUNNING or is_alive else record._replace(outcome=KILLED)


def _write(app: str, record: Record) -> None:
    import json

    files.replace(_path(app, record.number, "json"), json.dumps(record._asdict()) + "\n")


def _drop_old(app: str, spared: int) -> None:
    """Remove all but the newest records, and what a killed process left beside them."""
    numbers = _numbers(app)
    for number in numbers[: max(0, len(numbers) - spared)]:
        _remove(app, number)
    for name in os.listdir(_directory(app)):
        if name.startswith("."):
            files.remove(os.path.join(_directory(app), name))


def _remove(app: str, number: int) -> None:
    for kind in ("json", "log"):
        with contextlib.suppress(OSError):
            files.remove(_path(app, number, kind))


def _numbers(app: str) -> list[int]:
    """The numbers of all records, also of unreadable ones."""
    directory = _directory(app)
    names = os.listdir(directory) if os.path.isdir(directory) else []
    return sorted({int(match[1]) for name in names if (match := _FILE.fullmatch(name))})


def _path(app: str, number: int, kind: str) -> str:
    return os.path.join(_directory(app), f"{number}.{kind}")


def _directory(app: str) -> str:
    return settings.data("builds", app)

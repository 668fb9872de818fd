"""Pipes that programs write to: read by whoever waits for the program, within a limit, until it has ended.

Nothing is kept but what the caller wants to have, and no thread is started.
"""

import contextlib
import os
import select
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from lib.base.errors import OutputTooLarge

MOST = 64 * 1024 * 1024  # bytes that a program may write to one stream that we keep
TAIL = 1024 * 1024  # bytes that are kept of what it complains of
LONGEST = 1024 * 1024  # bytes of a line
_CHUNK = 65536  # what a pipe holds
_LONG = 24 * 3600  # seconds: poll knows no longer times than 24 days
_GLANCE = 0.05  # seconds, where the kernel does not tell of the end of a process

Take = Callable[[bytes], None]


class Pipe(NamedTuple):
    """writing: the end for the program. take: gets what it writes, as it comes."""

    reading: int
    writing: int
    take: Take


Target = Pipe | int  # where a program writes: a pipe of ours, or an open file


@contextlib.contextmanager
def pipe(take: Take) -> Iterator[Pipe]:
    """A pipe, open for as long as the block lasts."""
    reading, writing = os.pipe()
    try:
        os.set_blocking(reading, False)
        yield Pipe(reading, writing, take)
    finally:
        os.close(reading)
        os.close(writing)


def pipes(*targets: Target) -> list[Pipe]:
    """The pipes among some targets, each once."""
    return list(dict.fromkeys(one for one in targets if isinstance(one, Pipe)))


def descriptor(target: Target) -> int:
    """What a program gets as its stdout or stderr."""
    return target.writing if isinstance(target, Pipe) else target


def limited(program: str, most: int, take: Take) -> Take:
    """The same taker for `most` bytes in all (0: any number). It raises: OutputTooLarge, beyond them."""
    if not most:
        return take
    count = 0

    def counted(data: bytes) -> None:
        nonlocal count
        count += len(data)
        if count > most:
            raise OutputTooLarge(program, most)
        take(data)

    return counted


def tail(kept: bytearray, most: int = TAIL) -> Take:
    """A taker that keeps the last bytes: at least so many, at most twice as many."""

    def take(data: bytes) -> None:
        kept.extend(data)
        if len(kept) > 2 * most:
            del kept[:-most]

    return take


@contextlib.contextmanager
def lines(each: Take) -> Iterator[Take]:
    """Take whole lines, with their ends, to `each`; one without an end at the block's end.

    Lines above LONGEST come in parts.
    """
    rest = b""

    def take(data: bytes) -> None:
        nonlocal rest
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            each(line + b"\n")
        if len(rest) >= LONGEST:
            each(rest)
            rest = b""

    yield take
    if rest:
        each(rest)


def hand_over(
    pid: int, pipes: Sequence[Pipe], timeout: float, watch: Callable[[], None] | None = None, every: float = 0
) -> bool:
    """Pass on what a child of ours writes until it has ended; False after `timeout` seconds (0: any).

    watch: called every so many seconds, or more often. Whoever the child has left running is not waited for.
    """
    deadline = time.monotonic() + timeout if timeout else 0
    with _watched(pid, pipes) as has_ended:
        while not has_ended(_patience(deadline, every)):
            if deadline and time.monotonic() >= deadline:
                return False
            if watch:
                watch()
    for one in pipes:
        for _ in range(2 * LONGEST // _CHUNK):  # all that is there; somebody left running may write for ever
            if not _read(one):
                break
    return True


@contextlib.contextmanager
def _watched(pid: int, pipes: Sequence[Pipe]) -> Iterator[Callable[[float], bool]]:
    """A function that waits for news of a child, so many seconds (0: any), and tells whether it has ended."""
    known = {one.reading: one for one in pipes}
    poll = select.poll()
    for reading in known:
        poll.register(reading, select.POLLIN)
    try:
        ending = os.pidfd_open(pid)
    except OSError:  # gone already, or an old kernel
        ending = -1
    else:
        poll.register(ending, select.POLLIN)

    def has_ended(patience: float) -> bool:
        if ending < 0 and _is_gone(pid):
            return True
        if ending < 0:
            patience = min(patience or _GLANCE, _GLANCE)
        ready = [one for one, _ in poll.poll(patience * 1000 if patience else None)]
        for one in ready:
            if one in known:
                _read(known[one])
        return ending in ready

    try:
        yield has_ended
    finally:
        if ending >= 0:
            os.close(ending)


def _patience(deadline: float, every: float) -> float:
    """How long to wait for news, 0 for any time."""
    left = min(max(deadline - time.monotonic(), 0.001), _LONG) if deadline else 0
    return min(left or every, every or left)


def _is_gone(pid: int) -> bool:
    """Whether a child has ended, whoever may have asked for its status before."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _read(one: Pipe) -> bool:
    """Take what a pipe holds now; False for nothing."""
    try:
        data = os.read(one.reading, _CHUNK)
    except BlockingIOError:
        return False
    if data:
        one.take(data)
    return bool(data)

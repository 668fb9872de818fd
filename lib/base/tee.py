"""A copy of all that goes to stdout and stderr, also from the programs we start.

Inside the block both streams lead into a pipe of ours, or a pseudo-terminal where there was a terminal; a
thread passes on what comes, unchanged and at once, and hands it over. A program left running after the block
can no longer write there.
"""

import contextlib
import os
import select
import threading
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from lib.base import log, signals

_CHUNK = 65536  # what a pipe holds; a terminal gives at most 4 KiB at a time
_PIECE = select.PIPE_BUF  # what a pipe with any room takes at once
_GONE = select.POLLERR | select.POLLHUP


class _Channel(NamedTuple):
    """A pipe that takes the place of one or both streams. original: where they led before."""

    streams: tuple[int, ...]
    original: int
    reading: int
    writing: int


class _Watch(NamedTuple):
    """descriptor: None for nothing to watch."""

    descriptor: int | None
    hung_up: Callable[[], None]


@contextlib.contextmanager
def copied(
    each: Callable[[bytes], None], watch: int | None = None, hung_up: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hand over everything that is written inside the block, in order when both streams lead to one place.

    each, hung_up: called in a thread of ours; they must not raise. hung_up: once, when the other end of the
    descriptor `watch` is gone; what is said from then on goes nowhere else. For one thread at a time: the
    streams are the whole process's.
    """
    with contextlib.ExitStack() as stack:
        with signals.deferred():
            channels = [_opened(streams, stack) for streams in _groups()]
            ending = os.eventfd(0, os.EFD_CLOEXEC)
            stack.callback(os.close, ending)
            work = (channels, ending, each, _Watch(watch, hung_up))
            reader = threading.Thread(target=_pass_on, args=work, daemon=True)
            reader.start()
            stack.callback(_end, channels, ending, reader)
            for channel in channels:
                _redirect(channel, channel.writing)
        try:
            yield
        finally:
            with signals.deferred():
                stack.close()


@contextlib.contextmanager
def watched(descriptor: int) -> Iterator[Callable[[], bool]]:
    """Whether somebody may still read what we write there: pipes and sockets tell when nobody does."""
    with contextlib.ExitStack() as stack:
        watch = select.poll()
        watch.register(_duplicate(descriptor, stack), 0)
        yield lambda: not any(event & _GONE for _, event in watch.poll(0))


def _groups() -> list[tuple[int, ...]]:
    """The streams that lead to one place, together."""
    out, err = os.fstat(1), os.fstat(2)
    return [(1, 2)] if (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino) else [(1,), (2,)]


def _opened(streams: tuple[int, ...], stack: contextlib.ExitStack) -> _Channel:
    original = _duplicate(streams[0], stack)
    reading, writing = _terminal(original) if os.isatty(original) else os.pipe()
    for descriptor in (reading, writing):
        stack.callback(os.close, descriptor)
    return _Channel(streams, original, reading, writing)


def _terminal(like: int) -> tuple[int, int]:
    """A pseudo-terminal as large as another one, which alone turns line ends into its own."""
    import termios

    reading, writing = os.openpty()
    attributes = termios.tcgetattr(writing)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(writing, termios.TCSANOW, attributes)
    with contextlib.suppress(termios.error):
        termios.tcsetwinsize(writing, termios.tcgetwinsize(like))
    return reading, writing


def _redirect(channel: _Channel, target: int) -> None:
    for stream in channel.streams:
        os.dup2(target, stream)


def _end(channels: list[_Channel], ending: int, reader: threading.Thread) -> None:
    """Lead the streams where they led; what is under way in the pipes arrives first."""
    for channel in channels:
        _redirect(channel, channel.original)
    os.eventfd_write(ending, 1)
    reader.join()


def _pass_on(channels: list[_Channel], ending: int, each: Callable[[bytes], None], watch: _Watch) -> None:
    is_read, is_told, ready = True, False, set[int]()

    def pass_chunk(channel: _Channel) -> None:
        nonlocal is_read
        with contextlib.suppress(BlockingIOError):
            data = os.read(channel.reading, _CHUNK)
            is_read = is_read and _written(channel.original, data, watch.descriptor)
            each(data)

    readable = {channel.reading: channel for channel in channels}
    for descriptor in readable:
        os.set_blocking(descriptor, False)
    while ending not in ready:
        ready = _ready({ending, *readable}, None if is_told else watch.descriptor)
        for descriptor in readable.keys() & ready:
            pass_chunk(readable[descriptor])
        if not is_told and (not is_read or watch.descriptor in ready):
            is_read, is_told = False, True
            _lead_nowhere(channels)
            watch.hung_up()
    for channel in channels:
        for _ in range(2 * _CHUNK // 4096):  # all that is there; a program left running may write for ever
            pass_chunk(channel)


def _written(target: int, data: bytes, watched: int | None) -> bool:
    """Write data, piece by piece where there is room; False when the one who makes room has gone."""
    if watched is None:
        log.raw(data, target)
        return True
    for start in range(0, len(data), _PIECE):
        if watched in _ready(set(), watched, {target}):
            return False
        log.raw(data[start : start + _PIECE], target)
    return True


def _ready(readable: set[int], watched: int | None, writable: Collection[int] = ()) -> set[int]:
    """Wait for something; of the watched one, only that its other end is gone."""
    poll = select.poll()
    for descriptor in readable:
        poll.register(descriptor, select.POLLIN)
    for descriptor in writable:
        poll.register(descriptor, select.POLLOUT)
    if watched is not None:
        poll.register(watched, 0)
    return {descriptor for descriptor, _ in poll.poll()}


def _lead_nowhere(channels: list[_Channel]) -> None:
    """A pipe that its reader only keeps open would be full some time, and hold whoever writes there."""
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    for channel in channels:
        os.dup2(nowhere, channel.original, inheritable=False)
    os.close(nowhere)


def _duplicate(descriptor: int, stack: contextlib.ExitStack) -> int:
    copy = os.dup(descriptor)
    stack.callback(os.close, copy)
    return copy

"""A copy of all that goes to stdout and stderr, also from the programs we start.

Inside the block both streams lead into a pipe of ours, or a pseudo-terminal where there was a terminal; a
thread passes on what comes, unchanged and at once, and hands it over. A program left running after the block
can no longer write there.
"""

import contextlib
import os
import select
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

from lib.base import log, signals

_CHUNK = 65536  # what a pipe holds; a terminal gives at most 4 KiB at a time
_GONE = select.POLLERR | select.POLLHUP


class _Channel(NamedTuple):
    """A pipe that takes the place of one or both streams. original: where they led before."""

    streams: tuple[int, ...]
    original: int
    reading: int
    writing: int


@contextlib.contextmanager
def copied(each: Callable[[bytes], None], hung_up: Callable[[], None] | None = None) -> Iterator[None]:
    """Hand over everything that is written inside the block, in order when both streams lead to one place.

    each, hung_up: called in a thread of ours; they must not raise. hung_up: once, when whoever reads our
    stderr has gone away. For one thread at a time: the streams are the whole process's.
    """
    with contextlib.ExitStack() as stack:
        with signals.deferred():
            channels = [_opened(streams, stack) for streams in _groups()]
            ending = os.eventfd(0, os.EFD_CLOEXEC)
            stack.callback(os.close, ending)
            watch = _duplicate(2, stack)  # the log puts another file in the place of one that fails
            reader = threading.Thread(
                target=_pass_on, args=(channels, ending, each, watch, hung_up), daemon=True
            )
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


def _pass_on(
    channels: list[_Channel],
    ending: int,
    each: Callable[[bytes], None],
    watch: int,
    hung_up: Callable[[], None] | None,
) -> None:
    by_descriptor = {channel.reading: channel for channel in channels}
    poll = select.poll()
    for descriptor in (ending, *by_descriptor):
        os.set_blocking(descriptor, False)
        poll.register(descriptor, select.POLLIN)
    if hung_up:
        poll.register(watch, 0)
    ready: list[int] = []
    while ending not in ready:
        ready = [descriptor for descriptor, _ in poll.poll()]
        for descriptor in by_descriptor.keys() & set(ready):
            _pass_chunk(by_descriptor[descriptor], each)
        if hung_up and watch in ready:
            poll.unregister(watch)
            hung_up()
    for channel in channels:
        for _ in range(2 * _CHUNK // 4096):  # all that is there; a program left running may write for ever
            _pass_chunk(channel, each)


def _pass_chunk(channel: _Channel, each: Callable[[bytes], None]) -> None:
    with contextlib.suppress(BlockingIOError):
        data = os.read(channel.reading, _CHUNK)
        log.raw(data, channel.original)
        each(data)


def _duplicate(descriptor: int, stack: contextlib.ExitStack) -> int:
    copy = os.dup(descriptor)
    stack.callback(os.close, copy)
    return copy

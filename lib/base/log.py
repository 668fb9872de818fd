"""The only place that writes to stdout and stderr, in Dokku's vocabulary.

Source: dokku v0.24.0 plugins/common/functions, dokku_log_*. Scripts parse these lines.
One call writes one whole line, so parallel workers do not mix.
"""

import contextlib
import errno
import os
import re
import select
import threading
from collections.abc import Iterable, Iterator

from lib.base import procfs
from lib.base.errors import DokkuError, reason

# What a terminal obeys, but for tabs and line ends: our lines hold words of authors, images and servers.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x80-\x9f]")
_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
_state = threading.local()
_failed: set[int] = set()


def info1(text: str) -> None:
    _line(1, f"-----> {text}")


def info2(text: str) -> None:
    _line(1, f"=====> {text}")


def verbose(text: str) -> None:
    _line(1, f"       {text}")


def output(line: str) -> None:
    """A line that a program of an app wrote, within what we tell: it keeps its colours, and nothing else."""
    parts = _COLOUR.split(line)  # at odd places: the colours
    shown = "".join(part if number % 2 else _shown(part) for number, part in enumerate(parts))
    raw(f"       {shown}\n".encode("utf-8", "surrogateescape"))


def plain(text: str) -> None:
    _line(1, text)


def exclaim(text: str) -> None:
    """A warning that belongs to the answer: stdout."""
    _line(1, f" !     {text}")


def warn(text: str) -> None:
    _line(2, f" !     {text}")


@contextlib.contextmanager
def only_warned() -> Iterator[None]:
    """A refusal or failure in the block ends it and is told; what comes after the block goes on."""
    try:
        yield
    except DokkuError as error:
        failure(error)
    except OSError as error:  # a file that root has put there, a full disk
        warn(reason(error))


def failure(error: DokkuError) -> None:
    """All that there is to be said of a failure."""
    for text in error.lines:
        warn(text)


def note(text: str) -> None:
    """A line on stderr without a prefix."""
    _line(2, text)


def info1_quiet(text: str) -> None:
    if not is_quiet():
        info1(text)


def info2_quiet(text: str) -> None:
    if not is_quiet():
        info2(text)


def verbose_quiet(text: str) -> None:
    if not is_quiet():
        verbose(text)


def plain_quiet(text: str) -> None:
    if not is_quiet():
        plain(text)


def warn_quiet(text: str) -> None:
    if not is_quiet():
        warn(text)


def debug(text: str) -> None:
    if os.environ.get("DOKKU_TRACE"):
        _line(2, f" ?     {text}")


def is_quiet() -> bool:
    return bool(os.environ.get("DOKKU_QUIET_OUTPUT"))


def is_mail() -> bool:
    """Whether cron started us: every line that we write becomes a mail, so nothing new is not told."""
    leader = os.getsid(0)
    return procfs.text(procfs.parent(leader), "comm").strip() in ("cron", "crond", "anacron")


def raw(data: bytes, stream: int = 1) -> None:
    """Bytes as they are, to stdout (1) or stderr (2): data, and what programs say for themselves.

    An app's build and its logs are its own, colours and all, as they are in Dokku: who reads them chose to.
    Lines of ours are never written this way.
    """
    sink = current_sink()
    if sink is not None:
        sink.append((stream, data))
        return
    _write(stream, data)


def columns(rows: Iterable[tuple[str, ...]], indent: str = "", gap: int = 2) -> None:
    """Rows as a table: every column but the last padded to its widest cell."""
    table = [tuple(row) for row in rows]
    if not table:
        return
    widths = [max(len(row[i]) for row in table if i < len(row)) for i in range(max(map(len, table)))]
    for row in table:
        cells = [cell.ljust(widths[i] + gap) for i, cell in enumerate(row[:-1])]
        plain(indent + "".join(cells) + row[-1])


@contextlib.contextmanager
def collected() -> Iterator[list[tuple[int, bytes]]]:
    """Keep what this thread writes inside the block: pairs of (stream, bytes), in order."""
    before = current_sink()
    _state.sink = []
    try:
        yield _state.sink
    finally:
        _state.sink = before


def collect_into(sink: list[tuple[int, bytes]] | None) -> None:
    """Let this thread's output go where that of another one goes, whose current_sink this is."""
    _state.sink = sink


def current_sink() -> list[tuple[int, bytes]] | None:
    """Where this thread's output is being collected; None when it goes out directly."""
    return getattr(_state, "sink", None)


def claim_streams() -> None:
    """Open on nothing what our caller closed of stdin, stdout and stderr: else the next file would be it."""
    for stream in range(3):
        try:
            os.fstat(stream)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one


def has_failed() -> bool:
    """Whether output was lost for another reason than a reader that went away."""
    return bool(_failed)


def _line(stream: int, text: str) -> None:
    raw(_shown(text).encode("utf-8", "surrogateescape") + b"\n", stream)


def _shown(text: str) -> str:
    """Text with control characters spelt out; those beyond ASCII as JSON spells them."""
    if text.isprintable():  # nearly always, and faster
        return text
    return _CONTROL.sub(_spelt, text.replace("\r\n", "\n"))


def _spelt(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}" if ord(match[0]) < 128 else f"\\u{ord(match[0]):04x}"


def _write(stream: int, data: bytes) -> None:
    """Write all of it. A reader that went away must not stop work under way: the rest goes nowhere."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(stream, view) :]
        except BlockingIOError:  # whoever shares the terminal or pipe with us does not want to wait; we do
            select.select([], [stream], [])
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EBADF, errno.EIO):
                _failed.add(stream)
            with contextlib.suppress(OSError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream)
                os.close(nowhere)
            return

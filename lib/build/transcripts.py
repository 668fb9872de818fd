"""What a build said, in a file: all of it, or its beginning and its end when it said a lot."""

import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterator

from lib.base import files, log, tee

LIMIT = 4 * 1024 * 1024
EDGE = 1024 * 1024  # of the beginning and of the end: what stays when the file has grown to its limit
_GAP = "\n !     {:>20} bytes are left out here\n"  # always as long, so that a follower knows where to go on
_GAP_SIZE = len(_GAP.format(0))
_CUT = "\n !     The rest could not be kept: {}\n"
_PIECE = 65536


def begin(path: str) -> None:
    """Make the file. Raises: OSError."""
    file = _opened(path, os.O_CREAT | os.O_EXCL)
    files.give(file)
    os.close(file)


@contextlib.contextmanager
def written(path: str) -> Iterator[Callable[[bytes], None]]:
    """What to do with each piece of output. A full disk ends the transcript with a note, not the build."""
    file, size, left_out, is_cut = _opened(path), 0, 0, False

    def write(data: bytes) -> None:
        nonlocal file, size, left_out, is_cut
        for start in range(0, 0 if is_cut else len(data), _PIECE):
            try:
                size += _append(file, data[start : start + _PIECE])
                if size > LIMIT:
                    left_out += size - 2 * EDGE - (_GAP_SIZE if left_out else 0)
                    file = _shortened(path, file, left_out)
                    size = 2 * EDGE + _GAP_SIZE
            except OSError as error:
                is_cut = True
                _note(file, _CUT.format(error.strerror).encode())
                return

    try:
        yield write
    finally:
        os.close(file)


def show(path: str) -> None:
    """Print what there is."""
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        _print(file.fileno())


def follow(path: str, is_over: Callable[[], bool]) -> None:
    """Print what there is and what comes, until it is over and all is said, or nobody reads any more."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        with tee.watched(1) as is_read:
            while is_read():
                ended = is_over()  # before the last look at the file
                _print(file)
                if _is_replaced(path, file):
                    _print(file)
                    file = _reopened(path, file)
                elif ended:
                    return
                else:
                    time.sleep(0.2)
    finally:
        os.close(file)


def give_room(path: str) -> None:
    """Drop the second half of a transcript, on a disk that has no room for anything else."""
    with contextlib.suppress(OSError):
        file = _opened(path)
        try:
            os.ftruncate(file, os.fstat(file).st_size // 2)
            _note(file, _CUT.format(os.strerror(errno.ENOSPC)).encode())
        finally:
            os.close(file)


def _opened(path: str, flags: int = 0) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600)


def _append(file: int, data: bytes) -> int:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
    return len(data)


def _shortened(path: str, file: int, left_out: int) -> int:
    """Put the edges of a file in its place; the new one, open."""
    size = os.fstat(file).st_size
    gap = _GAP.format(left_out).encode()
    files.replace(path, os.pread(file, EDGE, 0) + gap + os.pread(file, EDGE, size - EDGE))
    replaced = _opened(path)
    os.close(file)
    return replaced


def _note(file: int, text: bytes) -> None:
    """Write the last line over the end, where the disk has room for sure."""
    with contextlib.suppress(OSError):
        os.ftruncate(file, max(0, os.fstat(file).st_size - len(text)))
        _append(file, text)


def _print(file: int) -> None:
    while data := os.read(file, _PIECE):
        log.raw(data)


def _is_replaced(path: str, file: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.stat(path).st_ino != os.fstat(file).st_ino
    return False


def _reopened(path: str, file: int) -> int:
    """A shortened transcript, at the place where the old one ended."""
    replaced = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    os.lseek(replaced, 2 * EDGE + _GAP_SIZE, os.SEEK_SET)
    os.close(file)
    return replaced

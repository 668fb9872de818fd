"""Archives from stdin: copied to a file as they come, within limits of size and patience."""

import os
import select
import sys

from lib.base.errors import ArchiveRejected, DokkuError
from lib.source import limits, members

PATIENCE = 300  # seconds without a byte


def copy_stdin(path: str, patience: float = PATIENCE) -> int:
    """Copy stdin to a new file; its size. Raises: DokkuError for a terminal, a stall, nothing or too much."""
    stdin = sys.stdin.fileno() if sys.stdin else 0
    if os.isatty(stdin):
        raise DokkuError("Expecting archive on STDIN")
    most, size = limits.of_archives(), 0
    try:
        with open(path, "xb", buffering=0) as file:
            while chunk := _next(stdin, patience):
                size += len(chunk)
                members.judge_amount(size, 0, most)
                file.write(chunk)
    except OSError as error:
        raise DokkuError(f"Unable to store the archive: {error.strerror}") from error
    if not size:
        raise ArchiveRejected("empty", "Empty archive")
    return size


def _next(stdin: int, patience: float) -> bytes:
    if not select.select([stdin], [], [], patience)[0]:
        raise DokkuError(f"Nothing on STDIN for {patience:g} seconds, giving up")
    return os.read(stdin, members.CHUNK)

"""Whether a program gets on: what it and all below it read, write and reckon, as the kernel counts it.

Made for transfers, whatever their protocol: a server may send a byte a second for half an hour.
"""

import os
import time
from collections.abc import Callable

from lib.base import descendants, procfs
from lib.base.errors import Transient

LEAST = 32  # bytes a second, in and out together: each byte that comes is read and written several times
_BUSY = 0.02  # of a processor: somebody who unpacks what has come reads nothing for a while
_SAMPLES = 12  # in the time in which a program has to get on
_TICKS = os.sysconf("SC_CLK_TCK")


def every(patience: float) -> float:
    """How often to look, in seconds; 0 for never."""
    return patience / _SAMPLES


def watch(program: str, pid: int, patience: float) -> Callable[[], None]:
    """A function to call now and then while a program runs.

    It raises: Transient, when for so many seconds next to nothing was done.
    """
    seen: dict[int, tuple[int, float]] = {}
    since, moved, worked = time.monotonic(), 0, 0.0
    looked = since

    def look() -> None:
        nonlocal since, moved, worked, looked
        now = time.monotonic()
        if now - looked < every(patience):
            return
        looked = now
        for one in (pid, *descendants.of(pid)):
            amount, spent = _account(one)
            before, spent_before = seen.get(one, (0, 0.0))
            moved, worked = moved + max(amount - before, 0), worked + max(spent - spent_before, 0)
            seen[one] = amount, spent
        if moved >= LEAST * patience or worked >= _BUSY * patience:
            since, moved, worked = now, 0, 0.0
        elif now - since >= patience:
            raise Transient(f"{program} received next to nothing for {patience:g} seconds; it was stopped")

    return look


def _account(pid: int) -> tuple[int, float]:
    """Bytes that a process has read and written up to now, and seconds of a processor; 0 where it is gone."""
    counters = dict(line.split(": ") for line in procfs.text(pid, "io").splitlines() if ": " in line)
    amount = int(counters.get("rchar", 0)) + int(counters.get("wchar", 0))
    fields = procfs.stat(pid)
    return amount, (int(fields[11]) + int(fields[12])) / _TICKS if len(fields) > 12 else 0.0

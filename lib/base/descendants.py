"""The processes below a process: what a script has under way, which a signal to the script does not reach.

A shell looks at SIGTERM when the program it waits for has ended, and not before.
"""

import contextlib
import os
import signal
import time

from lib.base import procfs

_PATIENCE = 0.5  # seconds for all to stop: another user's never does, nor one that a disk holds


def of(pid: int) -> list[int]:
    """Children, their children and so on; none where /proc does not tell."""
    found = []
    for child in procfs.children(pid):
        found += [child, *of(child)]
    return found


def send(number: int, pid: int) -> None:
    """Signal a process of ours and everything below it: stopped first, so that none is born unseen."""
    held: list[int] = []
    deadline = time.monotonic() + _PATIENCE
    try:
        while (new := [one for one in (pid, *of(pid)) if one not in held]) and time.monotonic() < deadline:
            held += new
            _hold(new, deadline)
        for one in held:
            _signal(number, one)
    finally:
        for one in held:
            _signal(signal.SIGCONT, one)


def _hold(pids: list[int], deadline: float) -> None:
    for pid in pids:
        _signal(signal.SIGSTOP, pid)
    while not all(map(_is_held, pids)) and time.monotonic() < deadline:
        time.sleep(0.001)


def _is_held(pid: int) -> bool:
    """Whether none of its threads can start anything: stopped or ended, as far as /proc tells."""
    states = {state for thread in procfs.threads(pid) for state in procfs.stat(pid, "task", thread)[:1]}
    return states <= {*"TtZX"}


def _signal(number: int, pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)

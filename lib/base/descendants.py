"""The processes below a process: what a script has under way, which a signal to the script does not reach.

A shell looks at SIGTERM when the program it waits for has ended, and not before.
"""

import contextlib
import os
import signal
import time

_PATIENCE = 0.5  # seconds for all to stop: another user's never does, nor one that a disk holds


def of(pid: int) -> list[int]:
    """Children, their children and so on; none where /proc does not tell."""
    found = []
    for child in children(pid):
        found += [child, *of(child)]
    return found


def children(pid: int) -> list[int]:
    """The processes that it started; the kernel may leave one out while another ends."""
    found: list[int] = []
    for task in _tasks(pid):
        with contextlib.suppress(OSError), open(f"{task}/children", "rb") as file:
            found += map(int, file.read().split())
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
    states = set()
    for task in _tasks(pid):
        with contextlib.suppress(OSError), open(f"{task}/stat", "rb") as file:
            states.add(file.read().rpartition(b")")[2].split()[0])
    return states <= {b"T", b"t", b"Z", b"X"}


def _signal(number: int, pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _tasks(pid: int) -> list[str]:
    """The directories of its threads; none of a process that is gone."""
    place = f"/proc/{pid}/task"
    with contextlib.suppress(OSError):
        return [f"{place}/{thread}" for thread in os.listdir(place)]
    return []

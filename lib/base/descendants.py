"""The processes below a process: what a script has under way, which a signal to the script does not reach.

A shell looks at SIGTERM when the program it waits for has ended, and not before.
"""

import contextlib
import os


def of(pid: int) -> list[int]:
    """Children, their children and so on; none where /proc does not tell."""
    found = []
    for child in _children(pid):
        found += [child, *of(child)]
    return found


def send(number: int, pid: int) -> None:
    """Signal a process of ours and everything below it."""
    for one in (pid, *of(pid)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(one, number)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    return found

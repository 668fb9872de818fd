"""Directories that live as long as a block, and the sweep that removes those of killed processes.

A name is PURPOSE.PID.START.RANDOM, START being the kernel's start time of the process since boot: a
directory whose process is gone, or whose pid belongs to somebody younger, is nobody's.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator

from lib.base import files, procfs, settings


@contextlib.contextmanager
def directory(purpose: str) -> Iterator[str]:
    """A new private directory (0700) for the block; gone after it, whatever happens inside."""
    base = settings.temporary()
    files.make_directory(base, 0o700)
    pid = os.getpid()
    path = os.path.join(base, f"{purpose}.{pid}.{procfs.started(pid)}.{os.urandom(6).hex()}")
    os.mkdir(path, 0o700)
    files.give(path)
    try:
        yield path
    finally:
        remove_tree(path)


def sweep() -> None:
    """Remove the directories that killed processes left behind; never a living one's."""
    base = settings.temporary()
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(base):
            parts = name.rsplit(".", 3)
            if len(parts) == 4 and parts[1].isdigit() and procfs.started(int(parts[1])) != parts[2]:
                remove_tree(os.path.join(base, name))


def remove_tree(path: str) -> None:
    """Remove a tree whose content may have any mode; what stays is left to the next sweep."""
    shutil.rmtree(path, ignore_errors=True)
    if not os.path.isdir(path):
        return
    for parent, directories, _ in os.walk(path):
        for name in directories:
            entry = os.path.join(parent, name)
            if not os.path.islink(entry):
                with contextlib.suppress(OSError):
                    os.chmod(entry, 0o700)
    shutil.rmtree(path, ignore_errors=True)

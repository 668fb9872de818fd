"""What the kernel says of processes and of this machine: the only reader of /proc.

A process can end between two questions; what is not there is empty, never an error.
"""

import contextlib
import os

ROOT = "/proc"  # unit tests bring one of their own


def text(*parts: str | int) -> str:
    """Return the content of a file below /proc; empty when it is gone or may not be read."""
    with (
        contextlib.suppress(OSError),
        open(_path(*parts), encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        return file.read()
    return ""


def exists(pid: int) -> bool:
    """Return whether there is a process of that number; one that has ended but was not waited for counts."""
    return os.path.exists(_path(pid))


def stat(*parts: str | int) -> list[str]:
    """Return the fields of a process or thread from its state (R, S, T, Z...) on; none when it is gone.

    parts: `pid`, or `pid, "task", tid`. Source: proc(5), /proc/PID/stat, field 3 first.
    """
    return text(*parts, "stat").rpartition(")")[2].split()


def started(pid: int) -> str:
    """Return when a process started, in clock ticks since boot; empty when it has ended."""
    fields = stat(pid)
    return fields[19] if len(fields) > 19 and fields[0] not in "ZX" else ""


def parent(pid: int) -> int:
    """Return the pid of the parent; 0 when the process is gone."""
    fields = stat(pid)
    return int(fields[1]) if len(fields) > 1 else 0


def words(pid: int) -> list[str]:
    """Return the command line of a process, or the title that it gave itself; none when it is gone."""
    return text(pid, "cmdline").rstrip("\0").split("\0") if pid else []


def threads(pid: int) -> list[int]:
    """Return the ids of a process's threads; none when it is gone."""
    with contextlib.suppress(OSError):
        return [int(name) for name in os.listdir(_path(pid, "task"))]
    return []


def children(pid: int) -> list[int]:
    """Return the pids that a process has started; the kernel may leave one out while another ends."""
    return [int(child) for thread in threads(pid) for child in text(pid, "task", thread, "children").split()]


def has_ipv6() -> bool:
    """Return whether any interface of this machine has an IPv6 address."""
    return bool(text("net", "if_inet6"))


def boot_id() -> str:
    """Return the random id of this boot."""
    return text("sys", "kernel", "random", "boot_id").strip()


def _path(*parts: str | int) -> str:
    return os.path.join(ROOT, *map(str, parts))


def routes() -> list[tuple[int, int]]:
    """The host's IPv4 routes but the default one: where each leads, and its mask, as numbers."""
    rows = [line.split() for line in text("net", "route").splitlines()[1:]]
    pairs = [(_number(row[1]), _number(row[7])) for row in rows]
    return [(place & mask, mask) for place, mask in pairs if mask]


def _number(word: str) -> int:
    return int.from_bytes(bytes.fromhex(word), "little")

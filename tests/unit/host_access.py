"""What of this host the code under test reaches: files that are not the test's own, programs, servers.

Two ways in are watched: Python's audit events (sys.addaudithook), and os.stat and its like, which raise none.
"""

import contextlib
import os
import socket
import sys
import sysconfig
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TREE = Path(__file__).resolve().parents[2]
_LIBRARIES = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
_OWN = (str(TREE), sys.prefix, tempfile.gettempdir(), "/dev/null", "/dev/urandom", *_LIBRARIES)
_FILES = (
    "open",
    *(f"os.{name}" for name in ("chmod", "chown", "link", "listdir", "mkdir", "remove", "rename")),
)
_FILES += tuple(f"os.{name}" for name in ("rmdir", "scandir", "symlink", "truncate", "utime"))
_PROGRAMS = ("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen")
_LOOK_UPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyname_ex")
_UNAUDITED = ("access", "lstat", "readlink", "stat", "statvfs")
_reached: list[str] | None = None  # None: nobody asks


@contextlib.contextmanager
def recorded() -> Iterator[list[str]]:
    """Collect what is reached within the block, each with the place in the code, in any thread."""
    global _reached
    real = {name: getattr(os, name) for name in _UNAUDITED}
    for name, function in real.items():
        setattr(os, name, _watching(name, function))
    _reached = found = []
    try:
        yield found
    finally:
        _reached = None
        for name, function in real.items():
            setattr(os, name, function)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _reached is None:
        return
    if event in _PROGRAMS:
        _record(event)
    elif event in _FILES:
        _look_at(event, arguments[0])
    elif event == "socket.connect" and not _is_loopback(arguments[1]):
        _record(f"{event} {arguments[1]}")
    elif event in _LOOK_UPS and not _is_literal(arguments[0]):
        _record(f"{event} {arguments[0]}")


def _look_at(event: str, path: Any) -> None:
    if _reached is not None and isinstance(path, str | bytes | os.PathLike):
        name = os.fsdecode(path)
        if name.startswith("/") and not _is_own(name):
            _record(f"{event} {name}")


def _is_own(name: str) -> bool:
    """Whether a path is below one of ours, or leads there: os.path.realpath looks at each directory."""
    return any(
        f"{name}/".startswith(f"{top}/") or f"{top}/".startswith(f"{name.rstrip('/')}/") for top in _OWN
    )


def _is_loopback(address: Any) -> bool:
    return isinstance(address, tuple) and address[0] in ("127.0.0.1", "::1")


def _is_literal(host: Any) -> bool:
    """Whether a host is an address already, so that no resolver nor /etc/hosts is asked."""
    text = os.fsdecode(host or "127.0.0.1").partition("%")[0]
    with contextlib.suppress(OSError):
        return bool(socket.inet_aton(text))
    with contextlib.suppress(OSError):
        return bool(socket.inet_pton(socket.AF_INET6, text))
    return False


def _record(what: str) -> None:
    """Add a line with the innermost places of our own code; nothing that this does itself is watched."""
    global _reached
    found, _reached = _reached, None
    try:
        frames = [frame for frame in traceback.extract_stack() if Path(frame.filename).is_relative_to(TREE)]
        places = [f"{Path(frame.filename).relative_to(TREE)}:{frame.lineno}" for frame in frames]
        ours = [place for place in places if not place.startswith((".venv", "tests/unit/host_access"))]
        if found is not None:
            found.append(f"{what}, from {' < '.join(reversed(ours[-4:]))}")
    finally:
        _reached = found


def _watching(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def look(path: Any, *words: Any, **more: Any) -> Any:
        _look_at(f"os.{name}", path)
        return real(path, *words, **more)

    return look


sys.addaudithook(_audit)  # for good: there is no way to take one off

"""Files as the database: read each time, replaced whole, locked while read and rewritten.

A write is a file beside the old one, flushed, renamed over it, and its directory flushed: a crash at any
instant leaves the old content or the new one.
"""

import contextlib
import fcntl
import os
import pwd
import shutil
import time
from collections.abc import Iterator, Mapping

from lib.base import settings
from lib.base.errors import DokkuError, mending

_LOCK = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
UNFINISHED = 60  # seconds after which a file beside another is nobody's


def read(path: str, default: str = "") -> str:
    """The text of a file, or default when there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return default


def read_lines(path: str) -> list[str]:
    """The non-empty lines of a file, without blanks around them; none when there is no such file."""
    return [line.strip() for line in read(path).splitlines() if line.strip()]


def replace(path: str, content: str | bytes, mode: int = 0o600, lasting: bool = True) -> None:
    """Put content in place of a file, all or nothing. Makes the directories above it (0755).

    lasting: the disk has it before this returns. What can be made anew may do without: after a power cut such
    a file is old, new or empty.
    """
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogateescape")
    directory = os.path.dirname(path)
    make_directory(directory)
    beside = os.path.join(directory, f".{os.path.basename(path)}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            give(file.fileno())
            file.write(content)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        raise
    if lasting:
        flush_directory(directory)


def replace_lines(path: str, lines: list[str], mode: int = 0o600) -> None:
    """One line per entry, each with its line end."""
    replace(path, "".join(f"{line}\n" for line in lines), mode)


def patch(path: str, changes: Mapping[int, bytes]) -> None:
    """Overwrite parts of a file that is the caller's alone, by position."""
    if not changes:
        return
    with open(path, "r+b") as file:
        for position, content in changes.items():
            file.seek(position)
            file.write(content)


def closed_directories(top: str) -> list[str]:
    """The directories below a path that we may not empty, as they belong to others; not those in them."""
    found = []
    for parent, directories, _ in os.walk(top):
        places = [(name, os.path.join(parent, name)) for name in directories]
        shut = [
            name
            for name, place in places
            if not os.path.islink(place) and not os.access(place, os.R_OK | os.W_OK | os.X_OK)
        ]
        found += [os.path.join(parent, name) for name in shut]
        directories[:] = [name for name in directories if name not in shut]
    return found


def remove(path: str, lasting: bool = True) -> None:
    """Remove a file, a link or a whole directory; nothing there is success. lasting: as for replace."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=False)
        return
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(path)
        if lasting:
            flush_directory(os.path.dirname(path))


def make_directory(path: str, mode: int = 0o755) -> None:
    """Make a directory and those above it, owned by the system user."""
    missing = []
    while path and not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for directory in reversed(missing):
        with contextlib.suppress(FileExistsError):
            os.mkdir(directory, mode)
            os.chmod(directory, mode)
            give(directory)


def give(target: str | int) -> None:
    """Hand a file, never what a link names, to the system user when root works on its behalf (hooks)."""
    if os.geteuid() != 0 or settings.user() == "root":
        return
    with contextlib.suppress(KeyError):
        owner = pwd.getpwnam(settings.user())
        how = {"follow_symlinks": False} if isinstance(target, str) else {}
        os.chown(target, owner.pw_uid, owner.pw_gid, **how)


def flush_directory(directory: str) -> None:
    with contextlib.suppress(OSError):  # pyfakefs and some network file systems refuse; the rename stands
        descriptor = os.open(directory or ".", os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Nobody else reads and rewrites this file inside the block. The lock dies with the process."""
    descriptor = _locked(path)
    try:
        _remove_unfinished(path)
        yield
    finally:
        os.close(descriptor)


def open_lock(name: str, flags: int) -> int:
    """Open a lock file. One that only others may open, as root's, is replaced: none of ours has it open."""
    try:
        return os.open(name, flags, 0o600)
    except PermissionError as error:
        with contextlib.suppress(OSError):
            if os.lstat(name).st_uid != os.geteuid():
                os.unlink(name)
                return os.open(name, flags, 0o600)
        raise error


def forget_locks(top: str) -> None:
    """Remove the lock files of what was at a path and below it; one that somebody holds stays."""
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(_locks()):
            if f"{name}%2F".startswith(f"{_escaped(top)}%2F"):
                descriptor = open_lock(os.path.join(_locks(), name), _LOCK)
                with contextlib.suppress(BlockingIOError), os.fdopen(descriptor):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(os.path.join(_locks(), name))


def _locked(path: str) -> int:
    """A lock file that is ours, open. One that was removed while we waited for it locks nobody out."""
    make_directory(settings.temporary(), 0o700)
    make_directory(_locks(), 0o700)
    name = os.path.join(_locks(), _escaped(path)[-240:])
    while True:
        try:
            descriptor = open_lock(name, _LOCK)
        except OSError as error:
            raise DokkuError(f"Unable to lock {path}: {error.strerror}{mending(error)}") from error
        try:
            give(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.exists(name) and os.path.samestat(os.fstat(descriptor), os.stat(name)):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _locks() -> str:
    return os.path.join(settings.temporary(), "locks")


def _escaped(path: str) -> str:
    return os.path.abspath(path).strip("/").replace("%", "%25").replace("/", "%2F")


def _remove_unfinished(path: str) -> None:
    """Remove what a `replace` that was killed left beside a file: there may be secrets in it."""
    directory, name = os.path.split(path)
    with contextlib.suppress(OSError):
        for entry in os.listdir(directory):
            beside = os.path.join(directory, entry)
            if entry.startswith(f".{name}.") and time.time() - os.lstat(beside).st_mtime > UNFINISHED:
                os.unlink(beside)


def read_beneath(tree: str, name: str, limit: int = 1024 * 1024) -> str | None:
    """The text of a regular file in an untrusted tree, or None: absent, too large, a link that leaves it."""
    top = os.path.realpath(tree)
    path = os.path.realpath(os.path.join(top, name))
    if os.path.commonpath([top, path]) != top or not os.path.isfile(path) or os.path.getsize(path) > limit:
        return None
    return read(path)

"""What is put on the host: looked at first, changed only where it differs, every change said.

owner: "user:group" by name. Files are replaced whole, by renaming. No link that others than root could have
made is followed on the way, and none in a file's place.
"""

import contextlib
import grp
import os
import pwd
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator

from lib.base import log
from lib.base.errors import DokkuError
from lib.host import held

ROOT = "root:root"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def file(
    path: str,
    text: str,
    mode: int = 0o644,
    owner: str = ROOT,
    check: Callable[[str], None] | None = None,
    said: bool = True,
) -> bool:
    """Make a file hold this text; whether that took a change.

    check: looks at the new file under another name, and raises if it must not go live. said: tell the user.
    """
    data = text.encode("utf-8", "surrogateescape")
    with held.parent(path, make=True) as (directory_, name):
        if _content_in(directory_, name) == data and not _is_link(directory_, name):
            return _adjust(directory_, name, path, mode, owner)
        beside = f".{name}.{secrets.token_hex(4)}"
        descriptor = os.open(beside, _NEW, 0o600, dir_fd=directory_)
        try:
            with os.fdopen(descriptor, "wb") as new:
                os.chown(new.fileno(), *_ids(owner))
                os.chmod(new.fileno(), mode)
                new.write(data)
                new.flush()
                os.fsync(new.fileno())
            if check is not None:
                check(os.path.join(os.path.dirname(path), beside))
            os.replace(beside, name, src_dir_fd=directory_, dst_dir_fd=directory_)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(beside, dir_fd=directory_)
    if said:
        log.verbose(f"Wrote {path}")
    return True


def first_file(path: str, text: str, mode: int = 0o644, owner: str = ROOT) -> bool:
    """A file that is only made where there is none: from then on it belongs to whoever edits it.

    A link that is not root's gives way to it.
    """
    with held.parent(path, make=True) as (directory_, name):
        if _is_link(directory_, name) and os.stat(name, dir_fd=directory_, follow_symlinks=False).st_uid:
            os.unlink(name, dir_fd=directory_)
            log.verbose(f"Removed the link {path}")
        if _exists(directory_, name):
            return _adjust(directory_, name, path, mode, owner)
    return file(path, text, mode, owner)


def directory(path: str, mode: int = 0o755, owner: str = ROOT) -> bool:
    """Make a directory, with this mode and owner; whether that took a change.

    A link that the administrator made stays one, and what it leads to gets the mode.
    """
    if os.path.isdir(path):
        with held.directory(path) as found:
            return _set(found, path, mode, owner)
    with held.parent(path, make=True) as (above, name):
        try:
            os.mkdir(name, 0o700, dir_fd=above)
        except FileExistsError:
            raise DokkuError(f"{path} is in the way: it is not a directory") from None
    with held.directory(path) as made:
        os.chown(made, *_ids(owner))
        os.chmod(made, mode)
    log.verbose(f"Made {path}")
    return True


def link(path: str, target: str) -> bool:
    """Make a symbolic link, in place of whatever file was there; whether that took a change."""
    if os.path.islink(path) and os.readlink(path) == target:
        return False
    with held.parent(path, make=True) as (directory_, name):
        beside = f"{name}.{secrets.token_hex(4)}"
        os.symlink(target, beside, dir_fd=directory_)
        os.replace(beside, name, src_dir_fd=directory_, dst_dir_fd=directory_)
    log.verbose(f"Linked {path} to {target}")
    return True


def gone(path: str) -> bool:
    """Remove a file, a link or a directory with all in it; whether there was one."""
    if not os.path.lexists(path):
        return False
    with held.parent(path) as (directory_, name):
        if stat.S_ISDIR(os.stat(name, dir_fd=directory_, follow_symlinks=False).st_mode):
            shutil.rmtree(path)  # which follows no link; the directories above are root's
        else:
            os.unlink(name, dir_fd=directory_)
    log.verbose(f"Removed {path}")
    return True


def content(path: str) -> bytes | None:
    """The bytes of a file, or where a link leads to; None when there is neither. No link is followed."""
    try:
        with held.parent(path) as (directory_, name):
            return _content_in(directory_, name)
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def restored_on_failure(*paths: str) -> Iterator[None]:
    """Should the block fail, these files and links are put back as they were before it."""
    before = {path: (os.path.islink(path), content(path)) for path in paths}
    try:
        yield
    except BaseException:
        for path, (was_link, old) in before.items():
            _put_back(path, was_link, old)
        raise


def _put_back(path: str, was_link: bool, before: bytes | None) -> None:
    if (os.path.islink(path), content(path)) == (was_link, before):
        return
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    if before is not None and was_link:
        os.symlink(os.fsdecode(before), path)
    elif before is not None:
        with open(path, "wb") as old:
            old.write(before)


def _content_in(directory_: int, name: str) -> bytes | None:
    try:
        found = os.stat(name, dir_fd=directory_, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            return os.fsencode(os.readlink(name, dir_fd=directory_))
        descriptor = _opened(directory_, name, found)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as existing:
        return existing.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _opened(directory_: int, name: str, found: os.stat_result) -> int:
    """A file that is there, open to be read. Its own mode is given since pyfakefs sets what it is given."""
    return os.open(name, _READ, stat.S_IMODE(found.st_mode), dir_fd=directory_)


def _is_link(directory_: int, name: str) -> bool:
    return _exists(directory_, name) and stat.S_ISLNK(
        os.stat(name, dir_fd=directory_, follow_symlinks=False).st_mode
    )


def _exists(directory_: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=directory_, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _adjust(directory_: int, name: str, path: str, mode: int, owner: str) -> bool:
    """Give what exists the right mode and owner. Links are left alone: their target is somebody's choice."""
    found = os.stat(name, dir_fd=directory_, follow_symlinks=False)
    if stat.S_ISLNK(found.st_mode) or _is_right(found, mode, owner):
        return False
    descriptor = _opened(directory_, name, found)
    try:
        return _set(descriptor, path, mode, owner)
    finally:
        os.close(descriptor)


def _set(descriptor: int, path: str, mode: int, owner: str) -> bool:
    """Set mode and owner of an open file or directory; whether that took a change.

    A file with a second name is left alone: that may be one of root's own.
    """
    found = os.fstat(descriptor)
    if _is_right(found, mode, owner):
        return False
    if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
        log.warn(f"{path} has a second name elsewhere, which would change too: its mode and owner stay")
        return False
    os.chown(descriptor, *_ids(owner))
    os.chmod(descriptor, mode)
    log.verbose(f"Set mode {mode:o} and owner {owner} of {path}")
    return True


def _is_right(found: os.stat_result, mode: int, owner: str) -> bool:
    return (found.st_uid, found.st_gid) == _ids(owner) and stat.S_IMODE(found.st_mode) == mode


def _ids(owner: str) -> tuple[int, int]:
    user, _, group = owner.partition(":")
    return pwd.getpwnam(user).pw_uid, grp.getgrnam(group or user).gr_gid

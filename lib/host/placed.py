"""What is put on the host: looked at first, changed only where it differs, every change said.

owner: "user:group" by name. Files are replaced whole, by renaming.
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

ROOT = "root:root"


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
    data = text.encode()
    if _content(path) == data and os.path.isfile(path) and not os.path.islink(path):
        return _adjust(path, mode, owner)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    beside = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as new:
            os.fchown(new.fileno(), *_ids(owner))
            os.fchmod(new.fileno(), mode)
            new.write(data)
            new.flush()
            os.fsync(new.fileno())
        if check is not None:
            check(beside)
        os.replace(beside, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
    if said:
        log.verbose(f"Wrote {path}")
    return True


def first_file(path: str, text: str, mode: int = 0o644, owner: str = ROOT) -> bool:
    """A file that is only made where there is none: from then on it belongs to whoever edits it."""
    if os.path.lexists(path):
        return _adjust(path, mode, owner)
    return file(path, text, mode, owner)


def directory(path: str, mode: int = 0o755, owner: str = ROOT) -> bool:
    """Make a directory, with this mode and owner; whether that took a change. A link to one stays a link."""
    if os.path.isdir(path):
        return _adjust(os.path.realpath(path), mode, owner)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        raise DokkuError(f"{path} is in the way: it is not a directory") from None
    os.chown(path, *_ids(owner))
    os.chmod(path, mode)
    log.verbose(f"Made {path}")
    return True


def link(path: str, target: str) -> bool:
    """Make a symbolic link, in place of whatever file was there; whether that took a change."""
    if os.path.islink(path) and os.readlink(path) == target:
        return False
    os.makedirs(os.path.dirname(path), exist_ok=True)
    beside = f"{path}.{secrets.token_hex(4)}"
    os.symlink(target, beside)
    os.replace(beside, path)
    log.verbose(f"Linked {path} to {target}")
    return True


def gone(path: str) -> bool:
    """Remove a file, a link or a directory with all in it; whether there was one."""
    if not os.path.lexists(path):
        return False
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)
    log.verbose(f"Removed {path}")
    return True


@contextlib.contextmanager
def restored_on_failure(*paths: str) -> Iterator[None]:
    """Should the block fail, these files and links are put back as they were before it."""
    before = {path: (os.path.islink(path), _content(path)) for path in paths}
    try:
        yield
    except BaseException:
        for path, (was_link, content) in before.items():
            _put_back(path, was_link, content)
        raise


def _put_back(path: str, was_link: bool, content: bytes | None) -> None:
    if (os.path.islink(path), _content(path)) == (was_link, content):
        return
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    if content is not None and was_link:
        os.symlink(os.fsdecode(content), path)
    elif content is not None:
        with open(path, "wb") as old:
            old.write(content)


def _content(path: str) -> bytes | None:
    """The bytes of a file, or where a link points to; None when there is nothing to read."""
    if os.path.islink(path):
        return os.fsencode(os.readlink(path))
    try:
        with open(path, "rb") as existing:
            return existing.read()
    except (FileNotFoundError, IsADirectoryError):
        return None


def _adjust(path: str, mode: int, owner: str) -> bool:
    """Give what exists the right mode and owner. Links are left alone: their target is somebody's choice."""
    found = os.lstat(path)
    ids = _ids(owner)
    right = (found.st_uid, found.st_gid) == ids and stat.S_IMODE(found.st_mode) == mode
    if right or stat.S_ISLNK(found.st_mode):
        return False
    os.chown(path, *ids, follow_symlinks=False)
    os.chmod(path, mode)
    log.verbose(f"Set mode {mode:o} and owner {owner} of {path}")
    return True


def _ids(owner: str) -> tuple[int, int]:
    user, _, group = owner.partition(":")
    return pwd.getpwnam(user).pw_uid, grp.getgrnam(group or user).gr_gid

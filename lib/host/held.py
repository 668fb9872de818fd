"""Directories held open on the way to a path, so that nobody can swap one of them for a link meanwhile.

Root works in directories of the system user. A link there may be that user's, and is not followed. A link of
root's in a directory that only root can write is followed: the administrator made it.
"""

import contextlib
import os
import stat
from collections.abc import Iterator

from lib.base.errors import DokkuError


class UntrustedLink(DokkuError):
    """A link is on the way that the system user can have made."""


_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LINKS = 40  # as the kernel


@contextlib.contextmanager
def parent(path: str, make: bool = False) -> Iterator[tuple[int, str]]:
    """The directory that a path is in, open for the block, and its name there.

    make: missing directories are made (0755, root's). Raises: DokkuError for a link that others could have
    made, FileNotFoundError for a missing directory.
    """
    *above, name = _parts(path)
    with directory("/" + "/".join(above), make) as held:
        yield held, name


@contextlib.contextmanager
def directory(path: str, make: bool = False) -> Iterator[int]:
    """A directory, open for the block; make and errors as in `parent`."""
    held = os.open("/", _OPEN)
    try:
        rest, links = _parts(path), 0
        while rest:
            part = rest.pop(0)
            target = _link(held, part, path)
            if target is None:
                held = _entered(held, part, make)
                continue
            links += 1
            if links > _LINKS:
                raise DokkuError(f"There are too many links on the way to {path}")
            rest = [*_parts(target), *rest]
            if target.startswith("/"):
                os.close(held)
                held = os.open("/", _OPEN)
        yield held
    finally:
        os.close(held)


def _link(held: int, part: str, path: str) -> str | None:
    """Where a link leads, if it is one. Raises: DokkuError if others than root could have made it."""
    try:
        found = os.stat(part, dir_fd=held, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISLNK(found.st_mode):
        return None
    above = os.fstat(held)
    if found.st_uid != 0 or above.st_uid != 0 or above.st_mode & 0o022:
        raise UntrustedLink(
            f"{path} leads over a link that others than root can change: {part}",
            more=("Root does not follow it. Put a directory in its place, or a bind mount",),
        )
    return os.readlink(part, dir_fd=held)


def _entered(held: int, part: str, make: bool) -> int:
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(part, 0o755, dir_fd=held)
    inner = os.open(part, _OPEN, dir_fd=held)
    os.close(held)
    return inner


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]

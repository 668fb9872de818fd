"""Who can replace a file: what root runs must be root's, and so must every directory on the way to it."""

import os
import stat


def replaceable(path: str) -> str:
    """The first place on the way to a path, or below it, that others than root can change; empty if none."""
    place = "/"
    rest = _parts(os.path.abspath(path))
    links = 0
    while rest:
        place = os.path.join(place, rest.pop(0))
        if _is_open(place):
            return place
        if os.path.islink(place):
            links += 1
            if links > 40:
                return place
            target = os.path.join(os.path.dirname(place), os.readlink(place))
            place, rest = "/", _parts(target) + rest
    return next(
        (
            found
            for parent, directories, names in os.walk(place)
            for name in (*directories, *names)
            if _is_open(found := os.path.join(parent, name))
        ),
        "",
    )


def _parts(path: str) -> list[str]:
    return [part for part in os.path.normpath(path).split("/") if part]


def _is_open(path: str) -> bool:
    """Whether an entry belongs to others or is writable for them; a link is as safe as its directory."""
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        return False
    is_sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    return found.st_uid != 0 or bool(found.st_mode & 0o022 and not is_sticky)

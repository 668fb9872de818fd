"""Directories of the host for apps to mount, below data/storage: made, and given to who is in containers.

They belong to users that only containers have, so it takes root to give them away. The system user gets that
by sudo, for bin/own-storage alone, which ends in `main`. Everything below data/storage can be replaced by
others meanwhile: no link is followed, and each step is taken from a directory that is held open.
"""

import os
import pwd
import re
import shlex
import sys

from lib.base import files, log, run, settings, values
from lib.base.errors import DokkuError, ToolFailed
from lib.host import daemon, trees

PROGRAM = f"{trees.CURRENT}/bin/own-storage"  # sudoers names it
OWNERS = {"herokuish": 32767, "heroku": 1000, "paketo": 2000, "packeto": 2000, "root": 0}
TOP = "."  # as a name: the directory above all of them, for the system user alone
KEEP = "false"  # as an owner: whoever it is

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_MOST = 65535
_REMAPPED = 165536  # where the ids of containers begin when dockerd maps them to others
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def ensure(name: str, owner: str) -> None:
    """Make a directory to be mounted, and (unless owner is `false`) give it and what is in it to a user.

    Raises: DokkuError for a bad name or an unknown owner; nothing has changed then.
    """
    _verify(name)
    chosen = None if owner == KEEP else _id_of(owner)
    log.info1(f"Ensuring {path(name)} exists")
    _take_back()
    files.make_directory(path(name))
    if chosen is not None:
        wanted = chosen + (_REMAPPED if _is_remapped() else 0)
        log.verbose(f"Setting directory ownership to {wanted}:{wanted}")
        _give(name, wanted)
    log.verbose("Directory ready for mounting")


def path(name: str) -> str:
    return os.path.join(settings.data("storage"), name)


def _take_back() -> None:
    """Let data/storage be the system user's again, when root or docker has made it. Raises: DokkuError."""
    top = settings.data("storage")
    if not os.path.isdir(top) or os.access(top, os.W_OK | os.X_OK):
        return
    try:
        run.run("sudo", "-n", PROGRAM, TOP, settings.user(), timeout=60)
    except ToolFailed:
        raise DokkuError(f"{top} belongs to others: chown {settings.user()} {shlex.quote(top)}") from None


def own_top() -> None:
    """Give data/storage itself, and nothing in it, to the system user. Follows no link."""
    held = [os.open(settings.lib(), _OPEN & ~os.O_NOFOLLOW)]
    try:
        for part in ("data", "storage"):
            held.append(os.open(part, _OPEN, dir_fd=held[-1]))
        os.fchown(held[-1], pwd.getpwnam(settings.user()).pw_uid, -1)
    except (OSError, KeyError) as error:
        raise DokkuError(f"Unable to take {settings.data('storage')} back") from error
    finally:
        for descriptor in held:
            os.close(descriptor)


def own(name: str, owner: int) -> None:
    """Give a directory and all in it to a user id and the group of that number. Follows no link."""
    _verify(name)
    held = [os.open(settings.lib(), _OPEN & ~os.O_NOFOLLOW)]
    try:
        for part in ("data", "storage", name):
            held.append(os.open(part, _OPEN, dir_fd=held[-1]))
        for _, directories, others, inside in os.fwalk(dir_fd=held[-1], follow_symlinks=False):
            for entry in (*directories, *others):
                os.chown(entry, owner, owner, dir_fd=inside, follow_symlinks=False)
        os.chown(held[-1], owner, owner)
    except OSError as error:
        raise DokkuError(f"Unable to give {path(name)} away: {error.strerror}") from error
    finally:
        for descriptor in held:
            os.close(descriptor)


def main() -> None:
    """`own-storage NAME ID`, or `. USER` for data/storage itself, as root; exits with the status."""
    try:
        settings.load_host()
        settings.clean_environment()
        name, owner = [*sys.argv[1:], "", ""][:2]
        if (name, owner) == (TOP, settings.user()):
            own_top()
        else:
            own(name, _id_of(owner))
    except DokkuError as error:
        log.warn(error.text)
        sys.exit(error.exit_code)


def _give(name: str, owner: int) -> None:
    found = os.lstat(path(name))
    if os.geteuid() == 0:
        own(name, owner)
    elif (found.st_uid, found.st_gid) != (owner, owner):
        try:
            run.run("sudo", "-n", PROGRAM, name, str(owner), timeout=600)
        except ToolFailed:
            raise DokkuError(f"Unable to give {path(name)} to {owner}: run this command as root") from None


def _verify(name: str) -> None:
    if not name:
        raise DokkuError("Please specify a directory to create")
    if not _NAME.fullmatch(name):
        raise DokkuError("Directory can only contain the following set of characters: [A-Za-z0-9_-]")


def _id_of(owner: str) -> int:
    if owner in OWNERS:
        return OWNERS[owner]
    is_id = values.is_number(owner) and 0 <= int(owner) <= _MOST + _REMAPPED
    if not is_id or _MOST < int(owner) < _REMAPPED:
        raise DokkuError("Unsupported chown permissions")
    return int(owner)


def _is_remapped() -> bool:
    """Whether dockerd maps the users of containers to others of the host."""
    return bool(daemon.setting("userns-remap"))

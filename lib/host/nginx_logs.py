"""nginx's log directory, so that what nginx creates there for an app is for root and the group adm only.

nginx makes a log file readable for everybody (0644) until logrotate makes the next one. A default ACL on the
directory takes that right away from every new file, and leaves the directory to whoever passes it.
"""

import os
import struct

from lib.app import apps
from lib.base import log, settings
from lib.host import accounts, held, placed

_ACL = "system.posix_acl_default"
_OWNER, _GROUP, _OTHERS = 0x01, 0x04, 0x20  # tags of linux/posix_acl.h
_PRIVATE = ((_OWNER, 7), (_GROUP, 5), (_OTHERS, 0))


def set_up() -> None:
    """Let new logs be private, and make those of the apps so that are there."""
    top = settings.nginx_logs()
    if not os.path.isdir(top):
        return
    make_private(top, f"root:{accounts.LOGS}")
    for app in apps.names():
        for name in names(app):
            if os.path.exists(os.path.join(top, name)):
                _close(top, name)


def names(app: str) -> list[str]:
    """What nginx's logs of an app are called."""
    return [f"{app}-{kind}.log" for kind in ("access", "error")]


def make_private(top: str, owner: str) -> None:
    """Give a directory to an owner and group, and new files in it to that group and nobody else."""
    placed.directory(top, 0o2755, owner)
    wanted = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry, 0xFFFFFFFF) for entry in _PRIVATE)
    try:
        if _ACL in os.listxattr(top):  # somebody's own choice, or ours
            return
        os.setxattr(top, _ACL, wanted)
    except OSError as error:
        log.warn(f"Others can read new logs in {top}: it takes no default ACL ({error.strerror})")


def _close(top: str, name: str) -> None:
    """Take the right to read a log away from others, and let the group have it."""
    with held.directory(top) as directory:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
        try:
            found = os.fstat(descriptor)
            if found.st_mode & 0o007:
                os.chown(descriptor, -1, os.fstat(directory).st_gid)
                os.chmod(descriptor, found.st_mode & 0o770)
        finally:
            os.close(descriptor)

"""nginx's log directory, so that what nginx creates there for an app is for root and the group adm only.

nginx makes a log file readable for everybody (0644) until logrotate makes the next one. A default ACL on the
directory takes that right away from every new file, and leaves the directory to whoever passes it.
"""

import os
import re
import struct
import sys

from lib.app import apps
from lib.base import log, run, settings, values
from lib.base.errors import DokkuError, ToolFailed
from lib.host import held, placed, trees

PROGRAM = f"{trees.CURRENT}/bin/remove-logs"  # sudoers names it

GROUP = "adm"  # Debian's and Ubuntu's group of those who may read logs: nginx:access-logs
_ACL = "system.posix_acl_default"
_OWNER, _GROUP, _OTHERS = 0x01, 0x04, 0x20  # tags of linux/posix_acl.h
_PRIVATE = ((_OWNER, 7), (_GROUP, 5), (_OTHERS, 0))


def set_up() -> None:
    """Let new logs be private, and make those of the apps so that are there."""
    top = settings.nginx_logs()
    if not os.path.isdir(top):
        return
    make_private(top, f"root:{GROUP}")
    for app in apps.names():
        for name in names(app):
            if os.path.exists(os.path.join(top, name)):
                _close(top, name)


def names(app: str) -> list[str]:
    """What nginx's logs of an app are called."""
    return [f"{app}-{kind}.log" for kind in ("access", "error")]


def remove(app: str) -> None:
    """Remove what nginx has logged of an app that is gone, rotated files too. That it can't is only said."""
    if not _found(app):
        return
    try:
        if os.access(settings.nginx_logs(), os.W_OK):
            _remove(app)
        else:
            run.run("sudo", "-n", PROGRAM, app, timeout=60)
    except (ToolFailed, OSError):
        log.warn(f"nginx's logs of {app} stay in {settings.nginx_logs()}; root can remove them")


def main() -> None:
    """`remove-logs APP`, as root; exits with the status."""
    try:
        settings.load_host()
        settings.clean_environment()
        app = [*sys.argv[1:], ""][0]
        if not values.is_app_name(app):
            raise values.bad_app_name(app)
        _remove(app)
    except DokkuError as error:
        log.warn(error.text)
        sys.exit(error.exit_code)


def _remove(app: str) -> None:
    with held.directory(settings.nginx_logs()) as directory:
        for name in _found(app):
            os.unlink(name, dir_fd=directory)


def _found(app: str) -> list[str]:
    pattern = re.compile(re.escape(app) + r"-(access|error)\.log(\.[0-9]+(\.gz)?)?")
    try:
        return sorted(name for name in os.listdir(settings.nginx_logs()) if pattern.fullmatch(name))
    except OSError:
        return []


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

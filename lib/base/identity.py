"""Becoming the system user: in this process when root calls, through sudo when anybody else does."""

import grp
import os
import pwd

from lib.base import run, settings
from lib.base.errors import DokkuError

_ROOT_ONLY = ("ssh-keys:add", "ssh-keys:remove")
_FREE = ("plugin:help", "plugin:list", "plugin:installed")


def needs_root(command: str) -> bool:
    """Whether a command changes what belongs to root: plugins' code and the keys that may log in."""
    return command in _ROOT_ONLY or (command.startswith("plugin:") and command not in _FREE)


def assume(command: str, program: str, words: list[str]) -> None:
    """Run on as the user that command needs: the system user, or root for those of `needs_root`.

    program, words: how we were called, to be called again through sudo.
    Raises: DokkuError where root is needed.
    """
    if needs_root(command):
        if os.geteuid() != 0:
            raise DokkuError("This command must be run as root")
        return
    if os.geteuid() == _system_user().pw_uid:
        return
    os.environ["SSH_USER"] = os.environ.get("USER") or "root"
    if os.geteuid() != 0:
        run.become("sudo", "-n", "-u", settings.user(), "-E", "-H", program, *words)
    become_system_user()


def become_system_user() -> None:
    """Go on as the system user, for good; root must not write where that user can put links."""
    wanted = _system_user()
    if os.geteuid() != 0 or wanted.pw_uid == 0:
        return
    os.initgroups(wanted.pw_name, _group(wanted.pw_gid))
    os.setgid(_group(wanted.pw_gid))
    os.setuid(wanted.pw_uid)
    os.umask(0o022)
    os.environ.update(HOME=wanted.pw_dir, USER=wanted.pw_name, LOGNAME=wanted.pw_name, PATH=settings.PATH)
    if not os.access(".", os.R_OK | os.X_OK):
        os.chdir("/")


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(settings.user())
    except KeyError:
        raise DokkuError(f"There is no user {settings.user()}; was bin/install run?") from None


def _group(otherwise: int) -> int:
    try:
        return grp.getgrnam(settings.group()).gr_gid
    except KeyError:
        return otherwise

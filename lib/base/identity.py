"""Becoming the system user: in this process when root calls, through sudo when anybody else does.

No command stays root: plugins, settings and apps belong to the system user, so what stands there must not run
as root. A file that only root may read is read first.
"""

import contextlib
import grp
import os
import pwd

from lib.base import environment, run, settings
from lib.base.errors import DokkuError

_ROOT_ONLY = ("ssh-keys:add", "ssh-keys:remove")
_FREE = ("plugin:help", "plugin:list", "plugin:installed")
_FILES = {"ssh-keys:add": 2}  # which operand names a file that perhaps only root can read
_ORIGINAL = "SSH_ORIGINAL_COMMAND"
_MOST = 65536  # bytes of it
_read: dict[str, bytes] = {}


def needs_root(command: str) -> bool:
    """Whether only root may give a command: those about plugins and the keys that may log in."""
    return command in _ROOT_ONLY or (command.startswith("plugin:") and command not in _FREE)


def assume(words: list[str], program: str, argv: list[str], original: str = "") -> None:
    """Go on as the system user, whoever called.

    words: the command and its operands. program, argv, original: how we were called, with which arguments and
    which command from ssh, to be called again through sudo.
    Raises: DokkuError where root has to call.
    """
    if os.geteuid() == _system_user().pw_uid and not needs_root(words[0]):
        return
    if os.geteuid() != 0:
        if needs_root(words[0]):
            raise DokkuError("This command must be run as root")
        os.environ["SSH_USER"] = os.environ.get("USER") or "root"
        run.become(*_sudo(program), *argv, env={**environment.whole(), _ORIGINAL: original or None})
    _read_named_file(words)
    os.environ["SSH_USER"] = os.environ.get("USER") or "root"
    become_system_user()


def content(path: str) -> bytes | None:
    """What is in a file that was named on the command line, as root or we can read it; None: no such file."""
    if path not in _read:
        with contextlib.suppress(OSError), open(path, "rb") as file:
            _read[path] = file.read(_MOST)
    return _read.get(path)


def has_terminal() -> bool:
    """Whether somebody sits at a terminal that this process belongs to."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def become_system_user() -> None:
    """Go on as the system user, for good; root must neither run nor write what that user can replace."""
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


def _sudo(program: str) -> list[str]:
    """How sudo starts a program as the system user. It may ask for a password at a terminal.

    Raises: DokkuError where it would have to, and there is none.
    """
    user = settings.user()
    if has_terminal():
        return ["sudo", "-u", user, "-E", "-H", program]
    if not run.succeeds("sudo", "-n", "-u", user, "-l", program):
        who = pwd.getpwuid(os.getuid()).pw_name
        raise DokkuError(
            f"sudo does not let {who} run dokku without a password, and there is no terminal to ask at",
            more=(f"As root, add to /etc/sudoers.d/{who}: {who} ALL=({user}) NOPASSWD:SETENV: {program}",),
        )
    return ["sudo", "-n", "-u", user, "-E", "-H", program]


def _read_named_file(words: list[str]) -> None:
    place = _FILES.get(words[0])
    if place is not None and len(words) > place:
        content(words[place])


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

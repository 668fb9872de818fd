"""How we reach private repositories: passwords for https, known hosts and the deploy key for ssh.

Source: dokku v0.24.0 plugins/git; 0.38 for git:auth-status, git:generate-deploy-key, the password on stdin.
"""

import os
import select
import time
from collections.abc import Sequence

from lib.base import files, log, settings, values
from lib.base.errors import DokkuError
from lib.source import netrc
from lib.tools import ssh

KEYS = ("id_ed25519", "id_rsa")
_PATIENCE = 30  # seconds that we wait for a password
_LONGEST = 2000  # bytes of a user or a password; curl reads lines of up to 4 KiB, quoting may double them


def authenticate(words: Sequence[str]) -> None:
    """git:auth HOST [USER [PASSWORD]]: set who we are at a host; without a user, forget it.

    A password that is not there is the first line of stdin. Raises: DokkuError, with nothing changed.
    """
    host, user, password = _wanted(words)
    if not user:
        log.info1(f"Removing netrc auth entry for host {host}")
        netrc.drop(host)
        return
    log.info1(f"Setting netrc auth entry for host {host}")
    netrc.store(host, user, password)


def verify(words: Sequence[str]) -> None:
    """git:auth-status HOST [USER [PASSWORD]]: whether git:auth with these words would change nothing.

    Raises: DokkuError without a text when it would.
    """
    host, user, password = _wanted(words)
    if not (netrc.has(host, user, password) if user else netrc.has_none(host)):
        raise DokkuError()


def allow_host(place: str) -> None:
    """Trust a server of ssh from now on by the key it shows now. place: HOST or HOST:PORT.

    Raises: DokkuError when it shows none.
    """
    host, port = values.split_host(_host(place))
    lines = ssh.host_keys(host, port, "rsa") or ssh.host_keys(host, port, "ed25519,ecdsa")
    if not lines:
        raise DokkuError(f"Unable to get an ssh host key from {place}")
    line = min(lines, key=lambda line: "ssh-ed25519" not in line)
    _append(os.path.join(_directory(), "known_hosts"), line)
    log.info1(f"{place} added to known hosts")
    for fingerprint in ssh.fingerprints(line.partition(" ")[2] + "\n"):
        log.verbose(fingerprint)


def show_public_key() -> None:
    """Print the deploy key. Raises: DokkuError, which tells how to get one."""
    for name in KEYS:
        key = files.read(os.path.join(_directory(), f"{name}.pub")).strip()
        if key:
            log.plain(key)
            return
    first, *more = advice()
    raise DokkuError(first, more=tuple(more))


def generate_deploy_key() -> None:
    """Make the key that repositories elsewhere can let in, unless there is one."""
    files.make_directory(_directory(), 0o700)
    private = os.path.join(_directory(), KEYS[0])
    with files.locked(private):
        if any(os.path.lexists(os.path.join(_directory(), name)) for name in KEYS):
            if not has_deploy_key():  # ssh-keygen was killed between the two files
                files.replace(f"{private}.pub", ssh.public_half(private), 0o644)
            log.exclaim("A deploy key already exists for this host")
            return
        ssh.generate_key(private, f"{settings.user()}@{os.uname().nodename}")


def has_deploy_key() -> bool:
    return any(os.path.isfile(os.path.join(_directory(), f"{name}.pub")) for name in KEYS)


def advice() -> list[str]:
    """What to do when a repository does not let us in."""
    return [
        "There is no deploy key associated with the dokku user.",
        "Generate an ssh key with the following command (do not specify a password):",
        "  ssh-keygen -t ed25519 -C 'example@example.com'",
        "As an alternative, configure the netrc authentication via the git:auth command",
    ]


def first_line(descriptor: int, patience: float) -> str:
    """The first line that comes through a pipe within some seconds; empty when none does."""
    line, deadline = b"", time.monotonic() + patience
    while b"\n" not in line and len(line) <= 2 * _LONGEST:
        if not select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
            return ""
        chunk = os.read(descriptor, 4096)
        if not chunk:
            break
        line += chunk
    return line.partition(b"\n")[0].removesuffix(b"\r").decode("utf-8", "surrogateescape")


def _wanted(words: Sequence[str]) -> tuple[str, str, str]:
    """The host, user and password that words mean, the password from stdin if need be."""
    if len(words) > 3:
        raise DokkuError("Too many words: a host, a user and a password were expected")
    host, user, password = [*words, *[""] * 3][:3]
    _host(host)
    if len(words) == 2 and user:
        password = "" if os.isatty(0) else first_line(0, _PATIENCE)
    if bool(user) != bool(password):
        raise DokkuError(f"Missing {'password' if user else 'user'} for netrc auth entry")
    for what, value in (("user", user), ("password", password)):
        _refuse_unreadable(what, value)
    return host, user, password


def _refuse_unreadable(what: str, value: str) -> None:
    """Refuse what some reader of the file would take for something else, without telling what it was."""
    if any(character in value for character in "\0\r\n"):
        raise DokkuError(f"Invalid {what} for netrc auth entry: it has a line break or a NUL")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise DokkuError(f"Invalid {what} for netrc auth entry: it is not UTF-8")
    if len(value.encode()) > _LONGEST:
        raise DokkuError(f"Invalid {what} for netrc auth entry: it is longer than {_LONGEST} bytes")


def _host(word: str) -> str:
    """A word that is a host, or a host and a port."""
    if not word:
        raise DokkuError("Please supply a git host")
    if not values.split_host(word)[0]:
        raise DokkuError(f"Invalid git host: {values.printable(word)}")
    return word


def _append(path: str, line: str) -> None:
    if os.path.islink(path):
        raise DokkuError(f"{path} is not a regular file")
    files.make_directory(_directory(), 0o700)
    with files.locked(path):
        old = files.read(path)
        gap = "" if not old or old.endswith("\n") else "\n"
        files.replace(path, f"{old}{gap}{line}\n")


def _directory() -> str:
    return os.path.join(settings.root(), ".ssh")

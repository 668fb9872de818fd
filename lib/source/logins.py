"""Which credentials of the netrc file are for which address.

git and curl look for a host's name alone: they would give a password to any port of the host, in clear,
wherever a submodule or a redirect leads. So they never see the file. An entry `machine HOST` is for
https://HOST; one `machine HOST:PORT` is for that port, by https or http.
"""

import contextlib
import os
import shlex
import urllib.parse
from collections.abc import Iterator
from typing import NamedTuple

from lib.base import files, scratch, settings, values
from lib.source import netrc
from lib.tools import git

_PORTS = {"https": 443, "http": 80}


class Login(NamedTuple):
    user: str
    password: str


NONE = Login("", "")


def for_url(url: str) -> Login:
    """Who we are at an address on the web; NONE where no entry is for it, or it has credentials."""
    scheme, host, port = _address(url)
    if not host or urllib.parse.urlsplit(url).username:
        return NONE
    names = [values.joined_host(host, port), *([host] if _is_usual(scheme, port) else [])]
    found = netrc.first(*names, or_default=_is_usual(scheme, port))
    return Login(found.login, found.password) if found else NONE


def advice(url: str) -> str:
    """What to do where an entry of the host is not for the address; nothing if that is not the reason."""
    _, host, port = _address(url)
    if not host or for_url(url) != NONE or netrc.has_none(host):
        return ""
    place = values.joined_host(host, port)
    return f"The netrc entry of {host} is for https://{host} only: git:auth {place} sets one for this address"


@contextlib.contextmanager
def for_git(url: str = "", own: Login = NONE) -> Iterator[dict[str, str | None]]:
    """The environment in which git finds credentials by protocol, host and port, while the block lasts.

    own: what a url brought itself. They are in files of ours, never among git's words.
    """
    scratch.sweep()  # a killed one leaves passwords
    with scratch.directory("credentials") as home:
        logins = dict(_known())
        if url:
            logins |= {_origin(url): own} if own != NONE else {}
            logins |= {_origin(url): for_url(url)} if own == NONE and for_url(url) != NONE else {}
        helpers = {}
        for number, (origin, login) in enumerate(logins.items()):
            path = os.path.join(home, str(number))
            files.replace(path, f"username={login.user}\npassword={login.password}\n")
            helpers[f"credential.{origin}.helper"] = (
                f'!f() {{ test "$1" = get && cat {shlex.quote(path)}; }}; f'
            )
        config = os.path.join(settings.root(), ".gitconfig")
        yield {**git.configured(helpers), "HOME": home, "GIT_CONFIG_GLOBAL": config}


def _known() -> Iterator[tuple[str, Login]]:
    """The origins that the file has entries for; of two for one origin, the first."""
    found: dict[str, Login] = {}
    for entry in netrc.machines():
        host, port = values.split_host(entry.head.value.lower())
        if not host:
            continue
        shown = f"[{host}]" if ":" in host else host
        origins = [f"{scheme}://{shown}:{port}" for scheme in _PORTS] if port else [f"https://{shown}"]
        for origin in origins:
            found.setdefault(origin, Login(entry.login, entry.password))
    yield from found.items()


def _address(url: str) -> tuple[str, str, int]:
    """Protocol, host and port of an address on the web; no host for any other."""
    try:
        parts = urllib.parse.urlsplit(url)
        scheme = parts.scheme.lower()
        return scheme, (parts.hostname or "") if scheme in _PORTS else "", parts.port or _PORTS.get(scheme, 0)
    except ValueError:
        return "", "", 0


def _origin(url: str) -> str:
    scheme, host, port = _address(url)
    return f"{scheme}://{values.joined_host(host, port)}"


def _is_usual(scheme: str, port: int) -> bool:
    return (scheme, port) == ("https", 443)

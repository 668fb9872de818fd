"""network:set and :report: the networks that an app's containers are on, and how the proxy finds them.

Property network/APP/KEY or network/--global/KEY; an app's own counts instead of the global one.
Source: dokku v0.24.0 plugins/network; initial-network, static-web-listener and --global are 0.38's.
"""

import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from lib.app import apps, options
from lib.base import properties, values
from lib.base.errors import DokkuError
from lib.base.report import Row

STORE = "network"
ON_CREATE, ON_DEPLOY, INITIAL = "attach-post-create", "attach-post-deploy", "initial-network"
BIND, STATIC, TLD = "bind-all-interfaces", "static-web-listener", "tld"

_SHARED = (ON_CREATE, ON_DEPLOY, BIND, INITIAL, TLD)  # may be set for every app
_KEYS = sorted([*_SHARED, STATIC])
_OF_024 = (ON_CREATE, ON_DEPLOY, BIND)
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")
OF_APPS = "dokku.app."  # what the names of apps' own networks start with: nobody else is put on them
_DOCKERS_OWN = ("bridge", "default", "host", "none")  # nobody is attached to them, and they know no names
_CHOOSES_NETWORK = re.compile(r"--(network|net)(=.*)?")


class Listener(NamedTuple):
    """Where something listens that is no container of ours. port: empty for the port map's."""

    ip: str
    port: str


def set_(app: str, key: str, words: Sequence[str]) -> None:
    """Set or (no words) unset a property of an app or of --global; the next deploy goes by it.

    Raises: DokkuError for an unknown one, or a value it can't have.
    """
    if app != properties.GLOBAL:
        apps.verify_app_name(app)
    elif key == STATIC:
        raise DokkuError("Property cannot be specified globally")
    if not key:
        raise DokkuError("No property specified")
    if key not in _KEYS:
        raise DokkuError(f"Invalid property specified, valid properties include: {', '.join(_KEYS)}")
    given = _split(" ".join(words))
    _verify(app, key, given)
    properties.change(STORE, app, key, ",".join(given))


def set_up(app: str) -> None:
    """Keep a new app's ports off the host's interfaces, unless there is a global value for that."""
    if not _general(BIND):
        properties.write(STORE, app, BIND, _default(BIND))


def effective(app: str, key: str) -> str:
    """The app's own value, else the global one; empty for neither."""
    return (_own(app, key) or _general(key) if key in _SHARED else _own(app, key)) or _default(key)


def attached(app: str, key: str) -> list[str]:
    """The networks that an attach property names."""
    return _split(effective(app, key))


def listeners(app: str) -> list[Listener]:
    """What the proxy leads to in place of the app's containers. Words on disk that are none are left out."""
    found = [values.split_host(word) for word in _split(_own(app, STATIC))]
    return [Listener(ip, port) for ip, port in found if is_address(ip)]


def is_address(text: str) -> bool:
    """Whether this is an IP address that something can be reached at."""
    if not re.fullmatch(r"[0-9.]+|.*:.*", text):
        return False
    import ipaddress  # 3 ms

    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_multicast or address.is_unspecified)


def alias(app: str, process: str) -> str:
    """The name by which others on a network find the app's containers of a process type."""
    return ".".join(filter(None, (app, process, effective(app, TLD))))


def verify_name(name: str) -> str:
    """Raises: DokkuError for what can't be a network's name."""
    if not name:
        raise DokkuError("No network name specified")
    if not _NAME.fullmatch(name):
        raise DokkuError(f"Invalid network name specified: {values.printable(name)}")
    return name


def verify_is_free(name: str) -> str:
    """`verify_name`, and the name must not be that of an app's own network. Raises: DokkuError."""
    if verify_name(name).startswith(OF_APPS):
        raise DokkuError(f"Invalid network name specified, {OF_APPS}* are apps' own networks: {name}")
    return name


def flags(app: str, phase: str, process: str = "") -> list[str]:
    """Docker's options for a container's or a build's first network, each a string of shell words.

    None where a docker option of the app's says it already. process: of a container that is to serve.
    """
    name = effective(app, INITIAL)
    chosen = [word for line in _options(app, phase, process) for word in options.words(line)]
    if not name or any(map(_CHOOSES_NETWORK.fullmatch, chosen)):
        return []
    named = [f"--network-alias={alias(app, process)}"] if process and name not in _DOCKERS_OWN else []
    return [f"--network={shlex.quote(name)}", *named]


def rows(app: str, web_listeners: Sequence[str]) -> list[Row]:
    """What network:report knows of an app. web_listeners: `ip:port` of its running web containers."""
    found = [Row(f"--network-{BIND}", effective(app, BIND))]
    for key in _KEYS:
        if key != BIND:
            found.append(Row(f"--network-{key}", _own(app, key), newer=key not in _OF_024))
    for key in _SHARED:
        found.append(Row(f"--network-computed-{key}", effective(app, key), newer=True))
        found.append(Row(f"--network-global-{key}", _general(key), newer=True))
    return [*found, Row("--network-web-listeners", " ".join(web_listeners))]


def global_rows() -> list[Row]:
    """What network:report knows of what counts for every app."""
    found = [Row(f"--network-global-{key}", _general(key)) for key in _SHARED]
    return found + [Row(f"--network-computed-{key}", _general(key) or _default(key)) for key in _SHARED]


def _verify(app: str, key: str, given: Sequence[str]) -> None:
    if key in (ON_CREATE, ON_DEPLOY):
        other = attached(app, ON_DEPLOY if key == ON_CREATE else ON_CREATE)
        for name in given:
            if name in _DOCKERS_OWN:
                raise DokkuError(f"Invalid network name specified for attach: {name}")
            if name in other:
                raise DokkuError(f"Network name already associated with this app: {name}")
    elif key != STATIC and len(given) > 1:
        raise DokkuError(f"Invalid value for {key}, it must be one word")
    for word in given:
        if key in (ON_CREATE, ON_DEPLOY, INITIAL):
            verify_is_free(word)
        elif key == BIND and word not in ("true", "false"):
            raise DokkuError(f"Invalid value for {key}, it must be true or false")
        elif key == TLD and not (values.is_domain(word) and not word.startswith("*")):
            raise DokkuError(f"Invalid value for {key}, it must be a domain: {values.printable(word)}")
        elif key == STATIC and not is_address(values.split_host(word)[0]):
            raise DokkuError(f"Invalid value for {key}, it must be IP[:PORT]: {values.printable(word)}")
    if key == STATIC and len({values.split_host(word)[1] for word in given}) > 1:
        raise DokkuError(f"Invalid value for {key}, all of it must be at one port: the port map's")


def _options(app: str, phase: str, process: str) -> list[str]:
    own = options.lines(app, phase, process) if process else []
    return [*options.lines(app, phase), *own]


def _own(app: str, key: str) -> str:
    return properties.get(STORE, app, key).strip()


def _general(key: str) -> str:
    return properties.get(STORE, properties.GLOBAL, key).strip()


def _default(key: str) -> str:
    return "false" if key == BIND else ""


def _split(text: str) -> list[str]:
    """The words of a list, by commas and blanks, each once."""
    return list(dict.fromkeys(word for word in re.split(r"[,\s]+", text) if word))

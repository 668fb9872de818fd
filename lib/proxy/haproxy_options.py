"""What haproxy:set can say about an app, or about haproxy as a whole: properties of the store `haproxy`.

A value on disk that is not of its kind is left out with a warning: people and plugins write these files too.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from lib.app import apps, network_settings
from lib.base import log, properties, values
from lib.base.errors import DokkuError
from lib.base.report import Row

STORE = "haproxy"
STARTED = "started"  # a property of the host that people do not set
_EVERYWHERE = ("0.0.0.0", "::")

_KINDS = {
    "count": r"[1-9][0-9]{0,5}",
    "level": r"emerg|alert|crit|err|warning|notice|info|debug",
    "number": r"[0-9]{1,12}",
    "size": r"[0-9]{1,12}[kKmMgG]?",
    "time": r"[0-9]{1,10}(ms|[smhd])?",
    "truth": r"true|false",
}
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_MILLISECONDS = {"": 1000, "ms": 1, "s": 1000, "m": 60000, "h": 3600000, "d": 86400000}
_MOST = {"time": 2**31 - 1, "size": 2**63 - 1}  # haproxy refuses its whole configuration for more


class Option(NamedTuple):
    """One that is not for_app is the host's alone."""

    kind: str
    default: str = ""
    for_app: bool = True


OPTIONS = {
    "bind-address": Option("address", for_app=False),
    "client-max-body-size": Option("size"),
    "hsts": Option("truth", "true"),
    "hsts-include-subdomains": Option("truth", "true"),
    "hsts-max-age": Option("number", "15724800"),
    "hsts-preload": Option("truth", "false"),
    "http-port": Option("port", "8080", for_app=False),
    "https-port": Option("port", "8443", for_app=False),
    "log-level": Option("level", "notice", for_app=False),
    "max-connections": Option("count", "4000", for_app=False),
    "proxy-read-timeout": Option("time", "60s"),
}


def general() -> dict[str, str]:
    """Every option's value for the host."""
    return {key: _effective(properties.GLOBAL, key) for key in OPTIONS}


def port(key: str) -> int:
    """One of haproxy's own two ports, `http-port` or `https-port`."""
    return int(_effective(properties.GLOBAL, key))


def is_started() -> bool:
    """Whether haproxy is to run: somebody started it, and nobody stopped it since."""
    return properties.is_set(STORE, properties.GLOBAL, STARTED)


def effective(app: str) -> dict[str, str]:
    """The value for an app of every option that apps have: its own, else the host's, else the default."""
    return {key: _effective(app, key) for key, option in OPTIONS.items() if option.for_app}


def is_valid(key: str, value: str) -> bool:
    """Whether an option may have this value."""
    kind = OPTIONS[key].kind
    if kind == "port":
        return values.is_port(value)
    if kind == "address":
        is_plain = re.fullmatch(r"[0-9a-fA-F:.]+", value) is not None
        return value in _EVERYWHERE or (is_plain and network_settings.is_address(value))
    if re.fullmatch(_KINDS[kind], value, re.ASCII) is None:
        return False
    units = {"size": _UNITS, "time": _MILLISECONDS}.get(kind)
    return units is None or _counted(value.lower(), units) <= _MOST[kind]


def set_(owner: str, key: str, value: str) -> None:
    """Give an app, or the host, another value for an option; its default again without one.

    It counts when the configuration is built next. Raises: DokkuError before anything is changed.
    """
    if owner != properties.GLOBAL:
        apps.verify_app_name(owner)
    if not key:
        raise DokkuError("No key specified")
    if key not in OPTIONS:
        raise DokkuError(f"Invalid key specified, valid keys include: {', '.join(OPTIONS)}")
    if owner != properties.GLOBAL and not OPTIONS[key].for_app:
        raise DokkuError(f"The key '{key}' can only be set globally")
    if value and not is_valid(key, value):
        raise DokkuError(f"Invalid value for {key}: {values.printable(value)}")
    properties.change(STORE, owner, key, value)


def rows(app: str) -> list[Row]:
    """What haproxy:report knows of an app."""
    host = general()
    own = [key for key, option in OPTIONS.items() if option.for_app]
    chosen = effective(app)
    return [
        *(Row(f"--haproxy-{key}", properties.get(STORE, app, key)) for key in own),
        *(Row(f"--haproxy-computed-{key}", chosen[key], newer=True) for key in own),
        *(Row(f"--haproxy-global-{key}", host[key], newer=OPTIONS[key].for_app) for key in OPTIONS),
    ]


def general_rows() -> list[Row]:
    """What haproxy:report knows of the host as a whole."""
    return [Row(f"--haproxy-global-{key}", value) for key, value in general().items()]


def bytes_of(size: str) -> int:
    """The number that `1m` is short for."""
    return _counted(size.lower(), _UNITS)


def _counted(text: str, units: Mapping[str, int]) -> int:
    """A number with a unit, in what the units are told in."""
    number = text.rstrip("".join(units))
    return int(number) * units[text.removeprefix(number)]


def _effective(owner: str, key: str) -> str:
    for one in dict.fromkeys((owner, properties.GLOBAL)):
        value = properties.get(STORE, one, key)
        if value and is_valid(key, value):
            return f"{value}s" if OPTIONS[key].kind == "time" and value.isdigit() else value
        if value:
            log.warn(f"Ignoring invalid value of haproxy property {key} for {one}")
    return OPTIONS[key].default

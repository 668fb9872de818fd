"""What nginx:set can say about an app's vhost: properties of the store `nginx`, with kind and default.

A value on disk that is not of its kind is left out with a warning: people and plugins write these files too.
Those of later releases are written only where somebody set them; nginx has the same defaults.
Source: dokku v0.24.0 plugins/nginx-vhosts; the later ones: 0.38.
"""

import mmap
import os
import re
from typing import NamedTuple

from lib.app import apps, source_files
from lib.base import log, properties, settings, values
from lib.base.errors import DokkuError
from lib.base.report import Row

STORE = "nginx"
REFUSED = "template-refused"  # why the app's last template is not in force

_UPSTREAM = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]*)(:[0-9]{1,5})?"
_KINDS = {
    "buffers": r"[0-9]{1,6} [0-9]{1,9}[kKmM]?",
    "count": r"[1-9][0-9]{0,5}",
    "header": r"[^#;{}\"'\\\x00-\x1f\x7f][^;{}\"'\\\x00-\x1f\x7f]*",
    "name": r"[A-Za-z0-9_]+",
    "number": r"[0-9]{1,12}",
    "size": r"[0-9]{1,12}[kKmMgG]?",
    "switch": r"on|off",
    "time": r"[0-9]{1,9}(ms|[smhdwMy])?",
    "truth": r"true|false",
    "upstreams": rf"{_UPSTREAM}(,{_UPSTREAM})*",
}
_FILE = re.compile(r"(/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)+")
_AFTER_VISITS = (
    "x-forwarded-for-value",
    "x-forwarded-port-value",
    "x-forwarded-proto-value",
    "x-forwarded-ssl",
)
_LOGS_ELSEWHERE = ("off", "/dev/null", "/dev/stdout", "/dev/stderr")


_ENDS_A_DIRECTIVE = re.compile(r"[;{}\"'\\\x00-\x1f\x7f]")


class Option(NamedTuple):
    kind: str
    default: str = ""  # {app}, {logs}: filled in
    is_general: bool = False  # may be set with --global
    is_later: bool = False  # later than 0.24


OPTIONS = {
    "access-log-format": Option("name"),
    "access-log-path": Option("log", "{logs}/{app}-access.log"),
    "allowed-upstreams": Option("upstreams", is_general=True, is_later=True),
    "bind-address-ipv4": Option("ipv4"),
    "bind-address-ipv6": Option("ipv6", "::"),
    "client-body-timeout": Option("time", "60s", is_general=True, is_later=True),
    "client-header-timeout": Option("time", "60s", is_general=True, is_later=True),
    "client-max-body-size": Option("size"),
    "disable-custom-config": Option("truth", "false"),
    "error-log-path": Option("log", "{logs}/{app}-error.log"),
    "hsts": Option("truth", "true", is_general=True),
    "hsts-include-subdomains": Option("truth", "true"),
    "hsts-max-age": Option("number", "15724800"),
    "hsts-preload": Option("truth", "false"),
    "keepalive-timeout": Option("time", "75s", is_general=True, is_later=True),
    "lingering-timeout": Option("time", "5s", is_general=True, is_later=True),
    source_files.NGINX_TEMPLATE.key: Option(
        "path", source_files.NGINX_TEMPLATE.name, is_general=True, is_later=True
    ),
    "proxy-buffer-size": Option("size", str(mmap.PAGESIZE)),
    "proxy-buffering": Option("switch", "on"),
    "proxy-buffers": Option("buffers", f"8 {mmap.PAGESIZE}"),
    "proxy-busy-buffers-size": Option("size", str(2 * mmap.PAGESIZE)),
    "proxy-connect-timeout": Option("time", "5s", is_general=True, is_later=True),
    "proxy-keepalive": Option("count", is_general=True, is_later=True),
    "proxy-read-timeout": Option("time", "60s"),
    "proxy-send-timeout": Option("time", "60s", is_general=True, is_later=True),
    "send-timeout": Option("time", "60s", is_general=True, is_later=True),
    "underscore-in-headers": Option("switch", "off", is_general=True, is_later=True),
    "trusted-template": Option("truth", "false", is_general=True, is_later=True),
    "x-forwarded-for-value": Option("header", "$remote_addr"),
    "x-forwarded-port-value": Option("header", "$server_port"),
    "x-forwarded-proto-value": Option("header", "$scheme"),
    "x-forwarded-ssl": Option("header"),
}


def effective(app: str) -> dict[str, str]:
    """Every option's value for an app: its own, else the host's, else the default."""
    own, general = _stored_by(app, aloud=True), _stored_by(properties.GLOBAL, aloud=True)
    return {key: own.get(key) or general.get(key) or _default(app, key) for key in OPTIONS}


def given(app: str) -> dict[str, str]:
    """The options that an app or the host has a valid value for."""
    own, general = _stored_by(app), _stored_by(properties.GLOBAL)
    return {key: own.get(key) or general[key] for key in OPTIONS if key in own or key in general}


def harmless(value: object) -> str:
    """A value as text for a configuration. Raises: DokkuError for one that could end a directive."""
    text = str(value)
    if _ENDS_A_DIRECTIVE.search(text):
        raise DokkuError(f"{text!a} can't stand in an nginx configuration")
    return text


def is_valid(key: str, value: str) -> bool:
    """Whether an option may have this value. Log files: where nginx has its own, as it opens them as root."""
    kind = OPTIONS[key].kind
    if kind == "log":
        inside = value.startswith(f"{settings.nginx_logs()}/")
        return value in _LOGS_ELSEWHERE or (inside and _FILE.fullmatch(value) is not None)
    if kind == "path":
        return source_files.stays_inside(value)
    if kind in ("ipv4", "ipv6"):
        return _is_address(kind, value)
    return re.fullmatch(_KINDS[kind], value) is not None


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
    if owner == properties.GLOBAL and not OPTIONS[key].is_general:
        raise DokkuError(f"The key '{key}' cannot be set globally")
    if value and not is_valid(key, value):
        raise DokkuError(f"Invalid value for {key}: {values.printable(value)}")
    properties.change(STORE, owner, key, value)


def rows(app: str) -> list[Row]:
    """What nginx:report knows of an app, in Dokku's order; a value nobody set is the one in effect."""
    chosen = effective(app)
    early = [key for key, option in OPTIONS.items() if not option.is_later]
    found = [Row(f"--nginx-{key}", chosen[key]) for key in early if key not in ("hsts", *_AFTER_VISITS)]
    hsts = [
        Row("--nginx-global-hsts", _general(app, "hsts")),
        Row("--nginx-computed-hsts", chosen["hsts"]),
        Row("--nginx-hsts", properties.get(STORE, app, "hsts")),
    ]
    before = [row.flag for row in found].index("--nginx-hsts-include-subdomains")
    visited = Row("--nginx-last-visited-at", _last_visit(chosen["access-log-path"]))
    last = [Row(f"--nginx-{key}", chosen[key]) for key in _AFTER_VISITS]
    return [*found[:before], *hsts, *found[before:], visited, *last, *_newer_rows(app, chosen)]


def general_rows() -> list[Row]:
    """What nginx:report knows of the host as a whole."""
    keys = [key for key, option in OPTIONS.items() if option.is_general]
    return [Row(f"--nginx-global-{key}", _general("", key)) for key in keys]


def _newer_rows(app: str, chosen: dict[str, str]) -> list[Row]:
    found = [Row(f"--nginx-{REFUSED}", properties.get(STORE, app, REFUSED), newer=True)]
    for key, option in OPTIONS.items():
        if option.is_later:
            found.append(Row(f"--nginx-{key}", properties.get(STORE, app, key), newer=True))
        if key != "hsts":
            found.append(Row(f"--nginx-computed-{key}", chosen[key], newer=True))
            found.append(Row(f"--nginx-global-{key}", _general(app, key), newer=True))
    return found


def _general(app: str, key: str) -> str:
    """What holds for apps that have no value of their own; the default may have the app's name in it."""
    return _stored_by(properties.GLOBAL).get(key) or _default(app, key)


def _default(app: str, key: str) -> str:
    return OPTIONS[key].default.format(app=app, logs=settings.nginx_logs())


def _stored_by(owner: str, aloud: bool = False) -> dict[str, str]:
    """The valid values that an app or GLOBAL has; one look at the store. aloud: warn of the others."""
    found = {}
    for key, value in properties.get_all(STORE, owner).items():
        if key in OPTIONS and value and is_valid(key, value):
            found[key] = value
        elif key in OPTIONS and value and aloud:
            log.warn(f"Ignoring invalid value of nginx property {key} for {owner}")
    return found


def _last_visit(access_log: str) -> str:
    """When the app was last asked for something, in seconds since 1970; empty when nobody knows."""
    try:
        return str(int(os.path.getmtime(access_log)))
    except OSError:
        return ""


def _is_address(kind: str, value: str) -> bool:
    import socket

    try:
        socket.inet_pton(socket.AF_INET if kind == "ipv4" else socket.AF_INET6, value)
    except (OSError, ValueError):
        return False
    return True

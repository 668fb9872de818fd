"""What nginx:set can say about an app's vhost: properties of the store `nginx`, with kind and default.

A value on disk that is not of its kind is left out with a warning: people and plugins write these files too.
Source: dokku v0.24.0 plugins/nginx-vhosts.
"""

import mmap
import os
import re
from typing import NamedTuple

from lib.app import apps
from lib.base import log, properties, settings, values
from lib.base.errors import DokkuError
from lib.base.report import Row

STORE = "nginx"

_KINDS = {
    "address": r"[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*",
    "buffers": r"[0-9]{1,6} [0-9]{1,9}[kKmM]?",
    "header": r"[^;{}\"'\\\x00-\x1f\x7f]+",
    "name": r"[A-Za-z0-9_]+",
    "number": r"[0-9]{1,12}",
    "size": r"[0-9]{1,12}[kKmMgG]?",
    "switch": r"on|off",
    "time": r"[0-9]{1,9}(ms|[smhdwMy])?",
    "truth": r"true|false",
}
_FILE = re.compile(r"(/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)+")
_AFTER_VISITS = (
    "x-forwarded-for-value",
    "x-forwarded-port-value",
    "x-forwarded-proto-value",
    "x-forwarded-ssl",
)
_LOGS_ELSEWHERE = ("off", "/dev/null", "/dev/stdout", "/dev/stderr")


class Option(NamedTuple):
    kind: str
    default: str = ""  # {app}, {logs}: filled in
    is_general: bool = False  # may be set with --global


OPTIONS = {
    "access-log-format": Option("name"),
    "access-log-path": Option("log", "{logs}/{app}-access.log"),
    "bind-address-ipv4": Option("address"),
    "bind-address-ipv6": Option("address", "::"),
    "client-max-body-size": Option("size"),
    "disable-custom-config": Option("truth", "false"),
    "error-log-path": Option("log", "{logs}/{app}-error.log"),
    "hsts": Option("truth", "true", is_general=True),
    "hsts-include-subdomains": Option("truth", "true"),
    "hsts-max-age": Option("number", "15724800"),
    "hsts-preload": Option("truth", "false"),
    "proxy-buffer-size": Option("size", str(mmap.PAGESIZE)),
    "proxy-buffering": Option("switch", "on"),
    "proxy-buffers": Option("buffers", f"8 {mmap.PAGESIZE}"),
    "proxy-busy-buffers-size": Option("size", str(2 * mmap.PAGESIZE)),
    "proxy-read-timeout": Option("time", "60s"),
    "x-forwarded-for-value": Option("header", "$remote_addr"),
    "x-forwarded-port-value": Option("header", "$server_port"),
    "x-forwarded-proto-value": Option("header", "$scheme"),
    "x-forwarded-ssl": Option("header"),
}


def effective(app: str) -> dict[str, str]:
    """Every option's value for an app: its own, else the host's, else the default."""
    return {key: _effective(app, key, option) for key, option in OPTIONS.items()}


def is_valid(key: str, value: str) -> bool:
    """Whether an option may have this value. Log files: where nginx has its own, as it opens them as root."""
    kind = OPTIONS[key].kind
    if kind == "log":
        inside = value.startswith(f"{settings.nginx_logs()}/")
        return value in _LOGS_ELSEWHERE or (inside and _FILE.fullmatch(value) is not None)
    if kind == "address":
        return _is_address(value)
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
    if not value:
        log.info2_quiet(f"Unsetting {key}")
        properties.delete(STORE, owner, key)
        return
    if not is_valid(key, value):
        raise DokkuError(f"Invalid value for {key}: {values.printable(value)}")
    log.info2_quiet(f"Setting {key} to {value}")
    properties.write(STORE, owner, key, value)


def rows(app: str) -> list[Row]:
    """What nginx:report knows of an app, in Dokku's order; a value nobody set is the one in effect."""
    chosen = effective(app)
    found = [Row(f"--nginx-{key}", chosen[key]) for key in OPTIONS if key not in ("hsts", *_AFTER_VISITS)]
    general = properties.get(STORE, properties.GLOBAL, "hsts") or OPTIONS["hsts"].default
    hsts = [
        Row("--nginx-global-hsts", general),
        Row("--nginx-computed-hsts", chosen["hsts"]),
        Row("--nginx-hsts", properties.get(STORE, app, "hsts")),
    ]
    before = [row.flag for row in found].index("--nginx-hsts-include-subdomains")
    visited = Row("--nginx-last-visited-at", _last_visit(chosen["access-log-path"]))
    last = [Row(f"--nginx-{key}", chosen[key]) for key in _AFTER_VISITS]
    return [*found[:before], *hsts, *found[before:], visited, *last]


def hsts_header(options: dict[str, str]) -> str:
    """The value of Strict-Transport-Security; empty when it is off."""
    if options["hsts"] == "false":
        return ""
    words = [f"max-age={options['hsts-max-age']}"]
    words += ["includeSubdomains"] if options["hsts-include-subdomains"] == "true" else []
    words += ["preload"] if options["hsts-preload"] == "true" else []
    return "; ".join(words)


def _effective(app: str, key: str, option: Option) -> str:
    for owner in (app, properties.GLOBAL):
        value = properties.get(STORE, owner, key)
        if value and is_valid(key, value):
            return value
        if value:
            log.warn(f"Ignoring invalid value of nginx property {key} for {owner}")
    return option.default.format(app=app, logs=settings.nginx_logs())


def _last_visit(access_log: str) -> str:
    """When the app was last asked for something, in seconds since 1970; empty when nobody knows."""
    try:
        return str(int(os.path.getmtime(access_log)))
    except OSError:
        return ""


def _is_address(value: str) -> bool:
    import socket

    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, value)
        except (OSError, ValueError):
            continue
        return True
    return False

"""What a configuration that an app brings may not have nginx do: the master process is root.

It opens logs, makes sockets, makes and gives away directories, reads includes and runs what modules and
engines of OpenSSL bring, all before it serves anything. Names are looked for wherever they stand: a way of
reading that is not quite nginx's own would be a way past it.
"""

import functools
import os
import re

from lib.base import settings, values
from lib.base.errors import DokkuError

_STORES = ("/var/cache/nginx", "/var/lib/nginx", "/tmp/nginx")
_NAMES = (
    r"access_log|error_log|include|(?:client_body|proxy|fastcgi|uwsgi|scgi)_temp_path"
    r"|(?:proxy|fastcgi|uwsgi|scgi)_cache_path|init_by_lua\w*|lua_package_c?path|modsecurity_rules\w*"
    r"|perl|perl_modules|perl_require|perl_set|listen|(?:\w+_)?ssl_certificate_key"
)
_VALUE = r"""["']?[\s{]+(["']?)([^\s;"'{}]*)(["']?)"""  # may be a directive itself: `location include { perl`
_DIRECTIVE = re.compile(rf"""(?:^|[\s;{{}}"'])({_NAMES})(?={_VALUE})""")
_COMMENT = re.compile(r"""^[ \t]*#[^"'{}\]\n]*$""", re.MULTILINE)  # surely one, whatever is around it
_LISTEN = re.compile(r"[\w.:*\[\]-]*", re.ASCII)
_KEY = re.compile(r"(data:)?[\w./$@+-]*", re.ASCII)
_SAFE = re.compile(r"[\w./*$+-]+", re.ASCII)
_NOWHERE = ("off", "stderr", "/dev/null", "/dev/stdout", "/dev/stderr")


def verify(text: str, app: str) -> None:
    """Raises: DokkuError that begins with the line, for what nginx would do as root outside of its places."""
    plain = _COMMENT.sub("", text)
    for match in _DIRECTIVE.finditer(plain):
        name, opening, value, closing = match.groups()
        value += closing if closing != opening else ""
        is_whole = closing or not opening
        if not is_whole or not _is_allowed(name, value, app):
            line = plain.count("\n", 0, match.start(1)) + 1
            raise DokkuError(f"line {line}: {name} {values.printable(value[:200])} is not allowed")


def _is_allowed(name: str, value: str, app: str) -> bool:
    if name == "listen":
        return _LISTEN.fullmatch(value) is not None and not value.lower().startswith("unix:")
    below = functools.partial(_is_below, value)
    if name.endswith("ssl_certificate_key"):
        others = any(map(below, (settings.root(), settings.lib(), "/proc")))  # keys that root reads for us
        is_plain = os.path.normpath(value) == value and not value.startswith("//")
        return is_plain and _KEY.fullmatch(value) is not None and (below(settings.app_dir(app)) or not others)
    if name.endswith("_log") and (value in _NOWHERE or value.startswith(("syslog:", "memory:"))):
        return True
    if not _SAFE.fullmatch(value) or ".." in value.split("/"):
        return False
    if name.endswith("_log"):
        return below(settings.nginx_logs())
    if name.endswith("_path"):
        return any(map(below, _STORES))
    if name == "include":
        own = below(settings.app_dir(app)) or below(settings.data("nginx-vhosts"))
        return own or not value.startswith("/") or below("/etc/nginx") or _is_settings(value)
    return False


def _is_below(value: str, directory: str) -> bool:
    return value == directory or value.startswith(os.path.join(directory, ""))


def _is_settings(value: str) -> bool:
    return value.startswith("/etc/") and value.endswith(".conf")

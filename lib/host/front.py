"""nginx as this host's front door: the include of all apps' vhosts, and an answer for hosts nobody serves."""

import grp
import os
import re
from collections.abc import Collection

from lib.base import files, log, procfs, run, settings
from lib.base.errors import DokkuError
from lib.host import made, placed
from lib.tools import nginx, nginx_syntax
from lib.tools.nginx_syntax import Directive

ETC = "/etc/nginx"
INCLUDE = f"{ETC}/conf.d/dokku.conf"
HASH_SIZE = f"{ETC}/conf.d/server_names_hash_bucket_size.conf"
CATCH_ALL = f"{ETC}/conf.d/00-default-vhost.conf"
DEFAULT_SITE = f"{ETC}/sites-enabled/default"
AVAILABLE_SITE = f"{ETC}/sites-available/default"

_NOTE = "# Written by dokku's bin/install; a changed file is written again.\n"
_GLOBAL = {  # at most once in all of nginx's configuration, so only where the administrator has none
    "server_tokens": "off",
    "ssl_session_cache": "shared:SSL:20m",
    "ssl_session_timeout": "1d",
    "ssl_session_tickets": "off",
    "ssl_ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
}
_USER = re.compile(r"^\s*user\s+([^\s;]+)(?:\s+([^\s;]+))?\s*;", re.MULTILINE)
_ANSWERS = {"80": ("", "return 444;"), "443": (" ssl", "ssl_reject_handshake on;")}


def set_up() -> None:
    """Write what is missing, test the whole of it, reload a running nginx. All or nothing.

    Unknown hosts get no answer on a fresh installation; an older one keeps whatever it had.
    Raises: DokkuError when nginx refuses the result, with nginx's reason; everything is then as before.
    """
    fresh = not os.path.exists(INCLUDE)
    ours = (INCLUDE, HASH_SIZE, CATCH_ALL)
    with placed.restored_on_failure(*ours, DEFAULT_SITE):
        if fresh:
            _disable_default_site()
        elsewhere = set_at_top(_dumped(), ours)
        changed = fresh and _answer_for_unknown(elsewhere)
        if "server_names_hash_bucket_size" not in elsewhere:
            changed |= placed.file(HASH_SIZE, f"{_NOTE}server_names_hash_bucket_size 512;\n")
        changed |= placed.file(INCLUDE, _include(elsewhere))  # last: its absence means "fresh"
        if changed:
            _dumped()
    if changed:
        reload()


def remove() -> None:
    """Take our files away, put the distribution's site back if we had taken it, and reload a running nginx.

    An nginx that refuses its configuration is left as it runs, with a warning.
    """
    is_changed = placed.gone(CATCH_ALL) | placed.gone(INCLUDE) | placed.gone(HASH_SIZE)
    if made.noted(made.DEFAULT_SITE) and os.path.exists(AVAILABLE_SITE):
        is_changed |= not os.path.lexists(DEFAULT_SITE) and placed.link(DEFAULT_SITE, AVAILABLE_SITE)
        made.forget(made.DEFAULT_SITE)
    if not is_changed or not nginx.is_running():
        return
    try:
        _dumped()
    except DokkuError as error:
        log.warn("nginx is not reloaded, and serves the apps until it is restarted:")
        for line in error.lines:
            log.warn(line)
        return
    reload()


def workers_group() -> str:
    """The group that nginx's workers run in; empty, with a warning, where its configuration names none."""
    found = _USER.search(files.read(f"{ETC}/nginx.conf"))
    group = (found[2] or found[1]) if found else ""
    try:
        return grp.getgrnam(group).gr_name
    except KeyError:
        log.warn(
            f"{ETC}/nginx.conf names no user for nginx: others can pass, not list, the apps' directories"
        )
        return ""


def reload() -> None:
    """Have a running nginx read its configuration again; one that is stopped will when it starts."""
    if nginx.is_running():
        nginx.reload()
        log.verbose("Reloaded nginx")


def set_at_top(dump: str, ours: tuple[str, ...]) -> set[str]:
    """Which directives stand directly in the http block, in files that are not ours nor an app's.

    dump: what `nginx -T` prints. Also "default_server 80", when a server elsewhere is that.
    """
    found: set[str] = set()
    parts = re.split(r"^# configuration file (.*):$", dump, flags=re.MULTILINE)
    for path, text in zip(parts[1::2], parts[2::2], strict=True):
        if path in ours or path.startswith(settings.root() + "/"):
            continue
        tree = _read(text)
        at_top = [one for http in tree if http.name == "http" for one in http.inside]
        at_top = at_top if path == f"{ETC}/nginx.conf" else [*tree]
        found |= {one.name for one in at_top if one.block is None}
        found |= {_default(one) for one in nginx_syntax.walk(tree) if one.name == "listen"} - {""}
    return found


def _read(text: str) -> tuple[Directive, ...]:
    """The directives of a file, none of one that is not in nginx's own language."""
    try:
        return nginx_syntax.read(text)
    except DokkuError:
        return ()


def _default(listen: Directive) -> str:
    if "default_server" not in listen.words:
        return ""
    port = re.search(r"(?:^|:)([0-9]+)$", listen.words[1])
    return f"default_server {port[1] if port else 80}"


def catch_all(ipv6: bool, ports: Collection[str] = tuple(_ANSWERS)) -> str:
    """A server at each port for names nobody serves: it hangs up, and shows no certificate."""
    servers = []
    for port in ports:
        kind, answer = _ANSWERS[port]
        listen = [f"listen {host}{port}{kind} default_server;" for host in ("", "[::]:")]
        lines = [*listen[: 2 if ipv6 else 1], "server_name _;", "access_log off;", answer]
        servers.append("server {\n" + "".join(f"    {line}\n" for line in lines) + "}\n")
    return _NOTE + "# Without it, requests for unknown hosts would reach the first app.\n" + "".join(servers)


def _answer_for_unknown(elsewhere: set[str]) -> bool:
    ports = [port for port in _ANSWERS if f"default_server {port}" not in elsewhere]
    for port in _ANSWERS.keys() - ports:
        log.verbose(f"nginx has a default server at port {port} already: it answers for unknown hosts there")
    if not ports:
        return False
    return placed.file(CATCH_ALL, catch_all(procfs.has_ipv6(), ports))


def _include(elsewhere: set[str]) -> str:
    lines = [f"{name} {value};\n" for name, value in _GLOBAL.items() if name not in elsewhere]
    ours = (f"{settings.root()}/*/nginx.conf", f"{settings.data('nginx-vhosts')}/*.conf")
    return _NOTE + "".join([*(f"include {path};\n" for path in ours), *lines])


def _disable_default_site() -> None:
    """Take the distribution's page out of the way, if it is exactly what the distribution put there."""
    if not os.path.islink(DEFAULT_SITE) or os.path.realpath(DEFAULT_SITE) != AVAILABLE_SITE:
        return
    if _digest(AVAILABLE_SITE) not in run.capture("dpkg-query", "-W", "-f", "${Conffiles}\n", "nginx-common"):
        log.verbose(f"Left {DEFAULT_SITE} alone: it has been edited")
        return
    log.verbose("The distribution's default page is not served any more; its file stays in sites-available")
    placed.gone(DEFAULT_SITE)
    made.note(made.DEFAULT_SITE)


def _digest(path: str) -> str:
    import hashlib

    with open(path, "rb") as file:
        return hashlib.md5(file.read(), usedforsecurity=False).hexdigest()  # what dpkg keeps


def _dumped() -> str:
    """All of nginx's configuration, which it has tested. Raises: DokkuError with what it has against it."""
    try:
        return run.capture("/usr/sbin/nginx", "-T", "-q", show_errors=False)
    except DokkuError as error:
        raise DokkuError("nginx refuses its configuration:", more=tuple(error.text.splitlines())) from error

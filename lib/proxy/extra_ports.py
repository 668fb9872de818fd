"""Host ports besides the host's own two: what is spoken there, and an answer for names that nobody has.

At one port all apps speak the same protocol; nginx would switch everybody to TLS if one did. And without a
default server an unknown name would reach the first app. The host's nginx includes our file of such servers,
data/nginx-vhosts/extra-ports.conf; at a port of an app without domains that app answers to every name.
"""

import os
import re

from lib.app import apps, ports
from lib.base import files, log, settings
from lib.proxy import conf_files, owners
from lib.tools import nginx

PLAIN, TLS, HTTP2 = "plain", "tls", "http2"

_LISTEN = re.compile(r"^\s*listen\s+(?:\[[^]]*\]:|[0-9.]+:)?([0-9]+)([ \w]*);", re.MULTILINE)
_SERVER = re.compile(r"^\s*server\s*\{", re.MULTILINE)
_HTTP2 = re.compile(r"^\s*http2\s+on\s*;", re.MULTILINE)  # nginx 1.25.1 and later


def own() -> dict[int, str]:
    """The protocol at each of the host's own ports, where every app is."""
    plain, secure = ports.general(ports.HTTP, 80), ports.general(ports.HTTPS, 443)
    return {80: PLAIN, plain: PLAIN, 443: TLS, secure: TLS}


def listened(text: str) -> dict[int, str]:
    """The ports of an app's file and what is spoken at them."""
    found = {}
    for server in _SERVER.split(text):
        plain = HTTP2 if _HTTP2.search(server) else PLAIN
        for port, words in _LISTEN.findall(server):
            found[int(port)] = TLS if "ssl" in words else HTTP2 if "http2" in words else plain
    return found


def cover(ipv6: bool) -> None:
    """Keep a default server at each extra port; not where the administrator has one. The caller reloads.

    The ports stand in the file's first line: as long as they are the same nothing is done.
    """
    wanted = _wanted()
    heading = "".join(["#", *(f" {port}/{protocol}" for port, protocol in wanted.items()), "\n"])
    before = files.read(path())
    if before.startswith(heading) or not (before or wanted):
        return
    servers = [_server(port, protocol, ipv6) for port, protocol in wanted.items()]
    if _is_taken(heading, servers):
        return
    possible: list[str] = []
    for server in servers:
        if _is_taken(heading, [*possible, server]):
            possible.append(server)
    _is_taken(heading, possible)


def withdraw(problem: str) -> bool:
    """Take our default servers away if they are what nginx complains of; whether they were."""
    accused = path() in problem and os.path.exists(path())
    if accused:
        files.remove(path())
    return accused


def path() -> str:
    return os.path.join(settings.data("nginx-vhosts"), "extra-ports.conf")


def _wanted() -> dict[int, str]:
    """The protocol at each port of apps that all have names. 80 and 443 are bin/install's business."""
    found: dict[int, str] = {}
    not_ours = {80, 443}
    for app in apps.names():
        text = conf_files.current(app) or ""
        here = listened(text)
        found |= here
        not_ours |= set() if owners.names_in(text) else here.keys()
    return {port: found[port] for port in sorted(found.keys() - not_ours)}


def _is_taken(heading: str, servers: list[str]) -> bool:
    """Whether nginx takes these default servers; they are in place then or not."""
    files.replace(path(), heading + "".join(servers), mode=0o644)
    problem = nginx.problem()
    log.debug(f"{len(servers)} default servers: {problem or 'taken'}")
    return not problem


def _server(port: int, protocol: str, ipv6: bool) -> str:
    words = {PLAIN: "", TLS: " ssl", HTTP2: " http2"}[protocol]
    answer = "ssl_reject_handshake on;" if protocol == TLS else "return 444;"
    hosts = ["", "[::]:"] if ipv6 else [""]
    listen = "".join(f"  listen {host}{port}{words} default_server;\n" for host in hosts)
    return f"server {{\n{listen}  server_name _;\n  access_log off;\n  {answer}\n}}\n"

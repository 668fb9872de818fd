"""Host ports besides the host's own two: what is spoken there, and an answer for names that nobody has.

At one port all apps speak the same protocol; nginx would switch everybody to TLS if one did. And without a
default server an unknown name would reach the first app. The host's nginx includes our file of such servers,
data/nginx-vhosts/extra-ports.conf; at a port of an app without domains that app answers to every name.
An address that an app binds has a default server at all its ports: nginx asks nobody else there.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator

from lib.app import apps, ports
from lib.base import files, log, settings
from lib.proxy import conf_files, conf_notes
from lib.proxy.conf_notes import HTTP2, PLAIN, TLS, Listen
from lib.tools import nginx

Places = dict[tuple[str, int], str]  # what is spoken at an address and port


def own() -> dict[int, str]:
    """The protocol at each of the host's own ports, where every app is."""
    plain, secure = ports.general(ports.HTTP, 80), ports.general(ports.HTTPS, 443)
    return {80: PLAIN, plain: PLAIN, 443: TLS, secure: TLS}


def listened(text: str) -> dict[int, str]:
    """The ports of an app's file and what is spoken at them."""
    return {one.port: one.protocol for one in conf_notes.of(text).listens}


def cover(ipv6: bool) -> None:
    """Keep a default server at each extra port; not where the administrator has one. The caller reloads.

    The ports stand in the file's first lines: as long as they are the same nothing is done.
    """
    wanted = _wanted()
    heading = conf_notes.commented("#", map(str, wanted)) + "\n"
    before = files.read(path())
    if before.startswith(heading) or not (before or wanted):
        return
    servers = [_server(listen, ipv6) for listen in wanted]
    if _is_taken(heading, servers):
        return
    possible: list[str] = []
    for server in servers:
        if _is_taken(heading, [*possible, server]):
            possible.append(server)
    _is_taken(heading, possible)


@contextlib.contextmanager
def giving_way(coming: Iterable[str]) -> Iterator[None]:
    """Have no default servers in the block if files to come speak otherwise where they are; then `cover`.

    Without that they are put back at the end of the block.
    """
    before = files.read(path())
    spoken = _places(map(conf_notes.listen, conf_notes.joined(before).partition("\n")[0].split()[1:]))
    new = _places(listen for text in coming for listen in conf_notes.of(text).listens)
    if any(spoken.get(place, protocol) != protocol for place, protocol in new.items()):
        files.remove(path())
    try:
        yield
    finally:
        if before and not os.path.exists(path()):
            files.replace(path(), before, mode=0o644)


def withdraw(problem: str) -> bool:
    """Take our default servers away if they are what nginx complains of; whether they were."""
    accused = path() in problem and os.path.exists(path())
    if accused:
        files.remove(path())
    return accused


def path() -> str:
    return os.path.join(settings.data("nginx-vhosts"), "extra-ports.conf")


def _places(listens: Iterable[Listen]) -> Places:
    return {(one.address, one.port): one.protocol for one in listens}


def _wanted() -> list[Listen]:
    """Where all apps have names, and what is spoken there. 80 and 443 are bin/install's business."""
    found: Places = {}
    not_ours = {("", 80), ("", 443)}
    for app in apps.names():
        note = conf_notes.of(conf_files.current(app) or "")
        here = _places(note.listens)
        found |= here
        not_ours |= set() if note.names else here.keys()
    return [Listen(*place, found[place]) for place in sorted(found.keys() - not_ours)]


def _is_taken(heading: str, servers: list[str]) -> bool:
    """Whether nginx takes these default servers; they are in place then or not."""
    files.replace(path(), heading + "".join(servers), mode=0o644)
    problem = nginx.problem()
    log.debug(f"{len(servers)} default servers: {problem or 'taken'}")
    return not problem


def _server(listen: Listen, ipv6: bool) -> str:
    words = {PLAIN: "", TLS: " ssl", HTTP2: " http2"}[listen.protocol]
    answer = "ssl_reject_handshake on;" if listen.protocol == TLS else "return 444;"
    everywhere = ["", "[::]:"] if ipv6 else [""]
    hosts = [f"{listen.address}:"] if listen.address else everywhere
    lines = "".join(f"  listen {host}{listen.port}{words} default_server;\n" for host in hosts)
    return f"server {{\n{lines}  server_name _;\n  access_log off;\n  {answer}\n}}\n"

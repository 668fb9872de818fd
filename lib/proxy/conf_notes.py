"""What a file that we wrote for nginx says of itself in its last lines: where it leads, for whom, and where.

An app's own template says all that in words of its own, on lines of its own. Whoever has to know it of many
apps (who has a domain, or a port, or an address) reads these lines instead.
"""

import functools
import re
import zlib
from collections.abc import Iterable
from typing import NamedTuple

from lib.base.errors import DokkuError
from lib.tools import nginx_syntax
from lib.tools.nginx_syntax import Directive

PLAIN, TLS, HTTP2 = "plain", "tls", "http2"

_LEADS, _SERVES, _LISTENS = "# leads to ", "# serves ", "# listens at "
_SUM = "# checksum: "  # of all before it: who has not changed the file need not have it read
_MORE = "#   "  # goes on with the line above: nginx takes no comment of more than 4096 bytes
_WIDTH = 1000
_NOBODY, _EVERY_NAME, _NOWHERE = "nobody", "every name", "no port"
_ADDRESS = re.compile(r"\[?([0-9.]+|[0-9A-Fa-f:.]+)\]?:[0-9]+")
_PLACE = re.compile(r"(?:(\[[^]]*\]|[0-9.]+):)?([0-9]{1,5})")
_EVERYWHERE = ("", "*", "0.0.0.0", "[::]")


class Listen(NamedTuple):
    """Where an app is. address: as it stands before a port, [] around IPv6; empty for all of the host."""

    address: str
    port: int
    protocol: str

    def __str__(self) -> str:
        return f"{self.address}{':' if self.address else ''}{self.port}/{self.protocol}"


class Note(NamedTuple):
    """addresses: where visitors are led. names: none for an app that answers to every name."""

    addresses: list[str]
    names: list[str]
    listens: list[Listen]


def signed(text: str, note: Note) -> str:
    """The text of a file with its note at the end."""
    listens = list(dict.fromkeys(map(str, note.listens)))
    lines = (
        commented(_LEADS, note.addresses or [_NOBODY]),
        commented(_SERVES, note.names or [_EVERY_NAME]),
        commented(_LISTENS, listens or [_NOWHERE]),
    )
    noted = "\n".join([text.rstrip(), *lines, ""])
    return f"{noted}{_SUM}{_sum(noted)}\n"


def commented(start: str, words: Iterable[str]) -> str:
    """Words as a comment that nginx takes, in as many lines as it needs. start: how the first begins."""
    lines = [start.rstrip()]
    for word in words:
        if len(lines[-1]) + len(word) > _WIDTH:
            lines.append(_MORE.rstrip())
        lines[-1] += f"{_MORE[1:] if lines[-1] == '#' and len(lines) > 1 else ' '}{word}"
    return "\n".join(lines)


def joined(text: str) -> str:
    """A text with the lines of such comments put together again."""
    return text.replace(f"\n{_MORE}", " ")


@functools.lru_cache(maxsize=1024)
def of(text: str) -> Note:
    """The note of a file, with servers that a plugin added; of one without, as of 0.24, what it says."""
    noted, _, checksum = text.rpartition(_SUM)
    read = Note([], [], []) if noted and checksum.strip() == _sum(noted) else _read(text)
    _, found, last = text.rpartition(f"\n{_LEADS}")
    lines = joined(f"{_LEADS}{last}").splitlines()[:3] if found else []
    starts = (_LEADS, _SERVES, _LISTENS)
    if len(lines) < 3 or not all(map(str.startswith, lines, starts)):
        return read
    leads, serves, listens = (line.removeprefix(start) for line, start in zip(lines, starts, strict=True))
    names = [] if serves == _EVERY_NAME else serves.split()
    at_ports = [] if listens == _NOWHERE else map(listen, listens.split())
    return Note(
        [] if leads == _NOBODY else leads.split(),
        list(dict.fromkeys([*names, *read.names])),
        list(dict.fromkeys([*at_ports, *read.listens])),
    )


def at(address: str, port: int, protocol: str) -> Listen:
    """Where an app is that listens at an address; all ways to say `everywhere` are one."""
    return Listen("" if address in _EVERYWHERE else address, port, protocol)


def listen(word: str) -> Listen:
    """What `[::1]:443/tls` says."""
    place, _, protocol = word.rpartition("/")
    address, _, port = place.rpartition(":")
    return Listen(address, int(port), protocol)


def _sum(text: str) -> str:
    return f"{zlib.crc32(text.encode('utf-8', 'surrogateescape')):08x}"


def _read(text: str) -> Note:
    """What the directives of a file say; nothing where they can't be read."""
    try:
        tree = nginx_syntax.read(text)
    except DokkuError:
        return Note([], [], [])
    led = [one.words[1] for top in tree for one in top.inside if top.name == "upstream" and one.arguments]
    servers = [one for one in tree if one.name == "server"]
    named = [one for server in servers for one in server.inside if one.name == "server_name"]
    return Note(
        list(dict.fromkeys(found[1] for word in led if (found := _ADDRESS.fullmatch(word)))),
        list(dict.fromkeys(name for one in named for name in one.arguments)),
        [listen for server in servers for listen in _listens_in(server)],
    )


def _listens_in(server: Directive) -> Iterable[Listen]:
    is_http2 = any(one.words == ("http2", "on") for one in server.inside)  # nginx 1.25.1 and later
    plain = HTTP2 if is_http2 else PLAIN
    for one in server.inside:
        place = _PLACE.fullmatch(one.words[1]) if one.name == "listen" and one.arguments else None
        if place:
            words = one.words[2:]
            yield at(
                place[1] or "", int(place[2]), TLS if "ssl" in words else HTTP2 if "http2" in words else plain
            )

"""What a file that we wrote for nginx says of itself in its last lines: where it leads, for whom, and where.

An app's own template says all that in words of its own, on lines of its own. Whoever has to know it of many
apps (who has a domain, or a port, or an address) reads these lines instead.
"""

import functools
import re
from collections.abc import Iterable
from typing import NamedTuple

PLAIN, TLS, HTTP2 = "plain", "tls", "http2"

_LEADS, _SERVES, _LISTENS = "# leads to ", "# serves ", "# listens at "
_NOBODY, _EVERY_NAME, _NOWHERE = "nobody", "every name", "no port"
_ADDRESS = re.compile(r"(?:^|[ \t;{])server[ \t]+\[?([0-9.]+|[0-9A-Fa-f:.]+)\]?:[0-9]", re.MULTILINE)
_NAMES = re.compile(r"^[ \t]*server_name[ \t]+([^;\n]*);", re.MULTILINE)
_SERVER = re.compile(r"^[ \t]*server[ \t]*\{", re.MULTILINE)
_LISTEN = re.compile(r"^[ \t]*listen[ \t]+(?:(\[[^]\n]*\]|[0-9.]+):)?([0-9]+)([ \w]*);", re.MULTILINE)
_HTTP2_ON = re.compile(r"^[ \t]*http2[ \t]+on[ \t]*;", re.MULTILINE)  # nginx 1.25.1 and later
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
    listens = " ".join(dict.fromkeys(map(str, note.listens))) or _NOWHERE
    lines = (
        f"{_LEADS}{' '.join(note.addresses) or _NOBODY}",
        f"{_SERVES}{' '.join(note.names) or _EVERY_NAME}",
        f"{_LISTENS}{listens}",
    )
    return "\n".join([text.rstrip(), *lines, ""])


@functools.lru_cache(maxsize=1024)
def of(text: str) -> Note:
    """The note of a file, with servers that a plugin added; of one without, as of 0.24, what it says."""
    read = _read(text)
    _, found, last = text.rpartition(f"\n{_LEADS}")
    lines = f"{_LEADS}{last}".splitlines()[:3] if found else []
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


def _read(text: str) -> Note:
    return Note(
        list(dict.fromkeys(_ADDRESS.findall(text))),
        list(dict.fromkeys(name for names in _NAMES.findall(text) for name in names.split())),
        list(_listens_in(text)),
    )


def _listens_in(text: str) -> Iterable[Listen]:
    for server in _SERVER.split(text):
        plain = HTTP2 if _HTTP2_ON.search(server) else PLAIN
        for address, port, words in _LISTEN.findall(server):
            yield at(address, int(port), TLS if "ssl" in words else HTTP2 if "http2" in words else plain)

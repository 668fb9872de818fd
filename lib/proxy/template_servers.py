"""The servers that an app's own template makes: where they are and for whom, and whether they may be.

nginx reads all apps' files as one configuration: what stands outside of a server, an address of its own, or
another app's name or port would change what the others' visitors get.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from lib.app import domains
from lib.app.port_maps import PortMap
from lib.base import values
from lib.base.errors import DokkuError
from lib.proxy import conf_notes, extra_ports, nginx_options, owners, port_owners
from lib.proxy.conf_notes import Listen, Note
from lib.proxy.sites import Neighbours, Site
from lib.tools import nginx_syntax

_AT_TOP = re.compile(
    r"server|upstream|map|geo|geoip2|split_clients|log_format|limit_(req|conn)_zone"
    r"|(proxy|fastcgi|uwsgi|scgi)_cache_path"
)
_PLACE = re.compile(
    r"(?P<address>\[[0-9A-Fa-f:.]+\]|[0-9]+(?:\.[0-9]+){3}|\*)(?::(?P<port>[0-9]{1,5}))?|(?P<alone>[0-9]{1,5})"
)
_LISTEN_WORDS = ("ssl", "http2", "ipv6only=on", "ipv6only=off")
_NUMBERED = re.compile(r"(.+)-[0-9]+")
_SCHEMES = {conf_notes.PLAIN: "http", conf_notes.TLS: "https", conf_notes.HTTP2: "grpc"}


class Directive(NamedTuple):
    """blocks: the names of those around it, from outside."""

    line: int
    words: tuple[str, ...]
    blocks: tuple[str, ...]


def judged(text: str, site: Site, neighbours: Neighbours) -> Note:
    """What the template's result says of itself. neighbours: what the other apps have.

    Raises: DokkuError that begins with the line, for what would change what others' visitors get.
    """
    directives = list(_flat(nginx_syntax.read(text)))
    for one in directives:
        _verify(one, site.app)
    named = [one for one in directives if one.words[0] == "server_name"]
    names = {name: one.line for one in named for name in _names(one)}
    _verify_names(names, site)
    listens = list(_listens(directives, site.app))
    _verify_ports(listens, list(names), neighbours)
    return Note(site.addresses, list(names), [listen for _, listen in listens])


def _flat(tree: Iterable[nginx_syntax.Directive], blocks: tuple[str, ...] = ()) -> Iterator[Directive]:
    for one in tree:
        yield Directive(one.line, one.words, blocks)
        yield from _flat(one.inside, (*blocks, one.name))


def _verify(one: Directive, app: str) -> None:
    """Raises: DokkuError for what can't be judged, and for what is not the app's alone."""
    name = one.words[0]
    if not one.blocks and not _AT_TOP.fullmatch(name):
        raise _refusal(one, f"{name} is only allowed in a server: it would count for all apps")
    numbered = _NUMBERED.fullmatch(one.words[1]) if name == "upstream" and len(one.words) > 1 else None
    if numbered and not one.blocks and numbered[1] != app:
        raise _refusal(one, f"upstream {one.words[1]} is not allowed: it is one of app {numbered[1]}")


def _listens(directives: Sequence[Directive], app: str) -> Iterator[tuple[int, Listen]]:
    """Where the servers are, each with its line. Raises: DokkuError for a place that is not the app's."""
    options = nginx_options.effective(app)
    bound = ("", options["bind-address-ipv4"], f"[{options['bind-address-ipv6']}]")
    for server in _servers(directives):
        switched_on = {one.words[0] for one in server if one.words[1:] == ("on",)}
        for one in server:
            if one.words[0] == "listen":
                listen = _listen(one, switched_on)
                if listen.address not in bound:
                    where = f"listen {one.words[1]} is not allowed"
                    raise _refusal(one, f"{where}: {app} is not bound to that address")
                yield one.line, listen


def _servers(directives: Sequence[Directive]) -> list[list[Directive]]:
    """What stands in each server itself, not in a location of it."""
    found: list[list[Directive]] = []
    for one in directives:
        if one.words == ("server",) and not one.blocks:
            found.append([])
        elif one.blocks == ("server",):
            found[-1].append(one)
    return found


def _listen(one: Directive, switched_on: Collection[str]) -> Listen:
    shown = f"listen {' '.join(one.words[1:2])}"
    place = _PLACE.fullmatch(one.words[1]) if one.words[1:] else None
    if place is None:
        raise _refusal(one, f"{shown} is not allowed")
    for word in one.words[2:]:
        if word not in _LISTEN_WORDS:
            raise _refusal(one, f"{shown} {word} is not allowed: it would count for all apps")
    port = int(place["port"] or place["alone"] or 80)
    by_directive = "http2" in switched_on and port not in extra_ports.own()  # where both are spoken
    protocol = conf_notes.HTTP2 if "http2" in one.words or by_directive else conf_notes.PLAIN
    is_secure = "ssl" in one.words or "ssl" in switched_on
    return conf_notes.at(place["address"] or "", port, conf_notes.TLS if is_secure else protocol)


def _names(one: Directive) -> list[str]:
    """The names of a server_name; one that begins with a dot is two."""
    words = [word.lower() for word in one.words[1:] if word and not re.search(r"\s", word)]
    return [name for word in words for name in ((word[1:], f"*{word}") if word[0] == "." else (word,))]


def _verify_names(lines: Mapping[str, int], site: Site) -> None:
    """Raises: DokkuError for a name that another app has, or lists before this one had it.

    nginx would take whom it reads first.
    """
    held = owners.holders(lines.keys() - set(site.names))
    new = sorted(held.keys() - owners.served(site.app))
    listed = domains.claimants(new, besides=site.app)
    for name in sorted(held):
        for other in (*held[name], *listed.get(name, ())):
            if other != site.app:
                raise DokkuError(f"line {lines[name]}: server_name {name} belongs to {other}")


def _verify_ports(
    listens: Sequence[tuple[int, Listen]], names: Sequence[str], neighbours: Neighbours
) -> None:
    """Raises: DokkuError for a port that is another app's, or where others speak another protocol."""
    lines = {PortMap(_SCHEMES[one.protocol], one.port, one.port): line for line, one in listens}
    reasons = port_owners.refusals(list(lines), names, neighbours())
    for (entry, line), reason in zip(lines.items(), reasons, strict=True):
        if reason:
            raise DokkuError(f"line {line}: listen {entry.host} is not allowed: {reason}")


def _refusal(one: Directive, reason: str) -> DokkuError:
    return DokkuError(f"line {one.line}: {values.printable(reason[:300])}")

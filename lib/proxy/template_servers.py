"""The servers that an app's own template makes: where they are and for whom, and whether they may be.

nginx reads all apps' files as one configuration: an address of its own, or another app's name or port would
change what the others' visitors get. Which names an app has is dokku's decision (`domains:add`), not the
template's; one that an operator trusts may add names that nobody has.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from lib.app import domains, ports
from lib.app.port_maps import PortMap
from lib.base.errors import DokkuError
from lib.proxy import conf_notes, extra_ports, host_sites, nginx_options, owners, port_owners
from lib.proxy.conf_notes import Listen, Note
from lib.proxy.sites import Neighbours, Site
from lib.proxy.template_names import refusal
from lib.tools.nginx_syntax import Directive

_ALONE = "ipv6only=on"  # as it is without the word, which only one app could say
_PLACE = re.compile(
    r"(?P<address>\[[0-9A-Fa-f:.]+\]|[0-9]+(?:\.[0-9]+){3}|\*)(?::(?P<port>[0-9]{1,5}))?|(?P<alone>[0-9]{1,5})"
)
_LISTEN_WORDS = ("ssl", "http2", _ALONE)
_NOBODY = "_"
_SCHEMES = {conf_notes.PLAIN: "http", conf_notes.TLS: "https", conf_notes.HTTP2: "grpc"}


def judged(tree: Sequence[Directive], site: Site, neighbours: Neighbours) -> Note:
    """What the servers of a template are. neighbours: what the other apps have.

    Raises: DokkuError that begins with the line, for what would change what others' visitors get.
    """
    names = _names(tree)
    _verify_owners({name: one.line for name, one in names.items()}, site)
    own = {*site.names, _NOBODY}
    for name, one in names.items():
        if name not in own and f"*.{name.partition('.')[2]}" not in own:
            raise refusal(
                one, f"{name} is no domain of {site.app}; add it with: dokku domains:add {site.app} {name}"
            )
    listens = [(one.line, listen) for one, listen in _listens(tree)]
    _verify_listens(tree, site)
    found = [name for name in names if name != _NOBODY]
    _verify_ports(listens, found, neighbours)
    return Note(site.addresses, found, [listen for _, listen in listens])


def noted(tree: Sequence[Directive], site: Site) -> Note:
    """The same for a template that an operator trusts. Raises: DokkuError for a name of another app."""
    names = _names(tree)
    _verify_owners({name: one.line for name, one in names.items()}, site)
    taken = host_sites.names() - {*site.names} - owners.served(site.app)
    for name, one in names.items():
        if name in taken:
            raise refusal(one, f"{name} belongs to {host_sites.OWNER}")
    return Note(site.addresses, list(names), [listen for _, listen in _listens(tree)])


def completed(tree: Sequence[Directive], site: Site, has_ipv6: bool) -> tuple[Directive, ...]:
    """The tree as it can be served: servers without names or port have the app's own."""
    return tuple(_completed(one, site, has_ipv6) if one.name == "server" else one for one in tree)


def _completed(server: Directive, site: Site, has_ipv6: bool) -> Directive:
    inner = [_without(_ALONE, one) for one in server.inside if has_ipv6 or not _is_ipv6(one)]
    if not any(one.name == "listen" for one in inner):  # nginx would take 80, whoever is there
        inner.insert(0, Directive(server.line, ("listen", str(ports.http_port(site.app) or 80))))
    if site.names and not any(one.name == "server_name" for one in inner):
        inner.append(Directive(server.line, ("server_name", *site.names)))
    return server._replace(block=tuple(inner))


def _without(word: str, one: Directive) -> Directive:
    return one._replace(words=tuple(known for known in one.words if one.name != "listen" or known != word))


def _is_ipv6(one: Directive) -> bool:
    return one.name == "listen" and one.words[1:2] != () and one.words[1].startswith("[")


def _listens(tree: Sequence[Directive]) -> Iterator[tuple[Directive, Listen]]:
    """Where the servers are, as far as that is a port of an address."""
    for server in tree:
        switched_on = {one.name for one in server.inside if one.arguments == ("on",)}
        for one in server.inside if server.name == "server" else ():
            if one.name == "listen" and (listen := _listen(one, switched_on)):
                yield one, listen


def _listen(one: Directive, switched_on: Collection[str]) -> Listen | None:
    place = _PLACE.fullmatch(one.words[1]) if one.arguments else None
    if place is None:
        return None
    port = int(place["port"] or place["alone"] or 80)
    by_directive = "http2" in switched_on and port not in extra_ports.own()  # where both are spoken
    protocol = conf_notes.HTTP2 if "http2" in one.words or by_directive else conf_notes.PLAIN
    is_secure = "ssl" in one.words or "ssl" in switched_on
    return conf_notes.at(place["address"] or "", port, conf_notes.TLS if is_secure else protocol)


def _verify_listens(tree: Sequence[Directive], site: Site) -> None:
    """Raises: DokkuError for a place that is not the app's, and for words that would count for all apps."""
    app = site.app
    options = nginx_options.effective(app)
    own = {
        *extra_ports.own(),
        ports.http_port(app),
        ports.https_port(app),
        *(one.host for one in site.entries),
    }
    bound = ("", options["bind-address-ipv4"], f"[{options['bind-address-ipv6']}]")
    for one in (inner for server in tree for inner in server.inside if inner.name == "listen"):
        listen = _listen(one, ())
        if listen is None:
            raise refusal(one, "it needs a port")
        if surplus := [word for word in one.words[2:] if word not in _LISTEN_WORDS]:
            raise refusal(one, f"{surplus[0]} would count for all apps")
        if listen.address not in bound:
            raise refusal(one, f"{app} is not bound to that address")
        if listen.port not in own:
            added = f"dokku proxy:ports-add {app} http:{listen.port}:5000"
            raise refusal(one, f"{listen.port} is no port of {app}; add it with: {added}")


def _names(tree: Sequence[Directive]) -> dict[str, Directive]:
    """All server names, each with its directive; one that begins with a dot is two."""
    found = {}
    for one in (inner for server in tree for inner in server.inside if inner.name == "server_name"):
        for word in map(str.lower, one.arguments):
            for name in (word[1:], f"*{word}") if word.startswith(".") else (word,):
                found[name] = one
    return found


def _verify_owners(lines: Mapping[str, int], site: Site) -> None:
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

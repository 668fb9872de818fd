"""Which app may be at a host port: several, if all have names and speak alike, or one without names, alone.

nginx itself would not mind: it speaks TLS with everybody as soon as one app does, and hands what is for an
app without names to the app whose file it reads first. Whoever is there already stays.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from lib.app import apps
from lib.app.port_maps import PortMap
from lib.proxy import conf_files, extra_ports, owners

SPOKEN = {extra_ports.PLAIN: "HTTP", extra_ports.TLS: "TLS", extra_ports.HTTP2: "HTTP/2"}


class Listening(NamedTuple):
    """What an app has of the host. ports: with what is spoken there. names: none for all of them."""

    app: str
    ports: Mapping[int, str]
    names: Collection[str]


def present() -> dict[str, Listening]:
    """What each app that is served has, by its configuration as it stands."""
    texts = {app: conf_files.current(app) or "" for app in apps.names()}
    return {app: listening(app, text) for app, text in texts.items() if text}


def listening(app: str, text: str) -> Listening:
    """What a configuration gives an app."""
    return Listening(app, extra_ports.listened(text), owners.names_in(text))


def protocol(entry: PortMap) -> str:
    """What is spoken at the host port of an entry."""
    plain = extra_ports.HTTP2 if entry.scheme == "grpc" else extra_ports.PLAIN
    return extra_ports.TLS if entry.is_secure else plain


def refusals(
    entries: Sequence[PortMap], names: Collection[str], others: Iterable[Listening], general: str = ""
) -> dict[PortMap, str]:
    """Why some entries of an app can't be served, for a person to read; the others can.

    names: that the app would be served under; none for all. general: the host's name, if the app is served
    under it because it has no domains and is at a port that is everybody's.
    """
    shared = extra_ports.own()
    neighbours = list(others)
    taken = set()
    found = {}
    for entry in entries:
        here = [other for other in neighbours if entry.host in other.ports]
        against = (_against_other(entry, names, other, shared, general) for other in here)
        reason = (
            _against(entry, shared, "the host speaks")
            or (f"another entry is at port {entry.host} already" if entry.host in taken else "")
            or next(filter(None, against), "")
        )
        if reason:
            found[entry] = reason
        else:
            taken.add(entry.host)
    return found


def _against(entry: PortMap, spoken: Mapping[int, str], who: str) -> str:
    there = spoken.get(entry.host, protocol(entry))
    return "" if there == protocol(entry) else f"{who} {SPOKEN[there]} at port {entry.host}"


def _against_other(
    entry: PortMap, names: Collection[str], other: Listening, shared: Collection[int], general: str
) -> str:
    if general and general in other.names:
        return f"{other.app} answers to {general} at port {entry.host}"
    if entry.host in shared:
        return ""
    if not other.names:
        return f"{other.app} has no domains and answers to every name at port {entry.host}"
    if not names:
        return f"{other.app} is at port {entry.host} too, and there are no domains to tell them apart"
    return _against(entry, other.ports, f"{other.app} speaks")

"""Which app may be at a host port: several, if all have names and speak alike, or one without names, alone.

No proxy would mind: it speaks TLS with everybody as soon as one app does, and hands what is for an app
without names to one of them. And where one proxy listens the other can't. Whoever is there already stays.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from lib.app import apps
from lib.app.port_maps import PortMap
from lib.proxy import conf_files, conf_notes, extra_ports, haproxy_fronts, haproxy_options, owners
from lib.proxy.haproxy_fronts import Front

SPOKEN = {conf_notes.PLAIN: "HTTP", conf_notes.TLS: "TLS", conf_notes.HTTP2: "HTTP/2"}


class Listening(NamedTuple):
    """What an app has of the host. ports: with what is spoken there. names: none for all of them.

    app: empty for what its proxy has whatever apps there are.
    """

    app: str
    ports: Mapping[int, str]
    names: Collection[str]
    proxy: str = "nginx"


class _Newcomer(NamedTuple):
    """An app that wants ports. general: the host's name, if it is served under that for want of its own."""

    names: Collection[str]
    general: str
    proxy: str
    shared: Mapping[int, str]


def present() -> list[Listening]:
    """What each app that is served has, by the configurations as they stand, and what haproxy has besides."""
    fronts = haproxy_fronts.known()
    is_up = bool(fronts) or haproxy_options.is_started()
    own = {haproxy_options.port("http-port"): conf_notes.PLAIN} if is_up else {}
    texts = {app: conf_files.current(app) or "" for app in apps.names()}
    return [
        *(listening(app, text) for app, text in texts.items() if text),
        *map(balanced, fronts.values()),
        *([Listening("", own, (), "haproxy")] if own else []),
    ]


def elsewhere(app: str, proxy: str) -> Listening | None:
    """What an app has at the proxy that is not this one; None when that does not know it."""
    if proxy == "haproxy":
        text = conf_files.current(app)
        return None if text is None else listening(app, text)
    front = haproxy_fronts.known().get(app)
    return front and balanced(front)


def listening(app: str, text: str) -> Listening:
    """What a configuration of nginx gives an app."""
    return Listening(app, extra_ports.listened(text), owners.names_in(text))


def balanced(front: Front) -> Listening:
    """What haproxy gives an app."""
    plain = {True: conf_notes.HTTP2, False: conf_notes.PLAIN}
    spoken = {r.port: conf_notes.TLS if r.is_secure else plain[r.is_http2] for r in front.routes}
    return Listening(front.app, spoken, front.names, "haproxy")


def shared(proxy: str) -> dict[int, str]:
    """The protocol at each port where all apps of a proxy are."""
    if proxy != "haproxy":
        return extra_ports.own()
    plain, secure = haproxy_options.port("http-port"), haproxy_options.port("https-port")
    return {plain: conf_notes.PLAIN, secure: conf_notes.TLS}


def protocol(entry: PortMap) -> str:
    """What is spoken at the host port of an entry."""
    plain = conf_notes.HTTP2 if entry.scheme == "grpc" else conf_notes.PLAIN
    return conf_notes.TLS if entry.is_secure else plain


def clashes(port: int, proxy: str, other: str) -> bool:
    """Whether a port of one proxy is none for the other; all apps' port of both is people's own choice."""
    return proxy != other and not (port in shared(proxy) and port in shared(other))


def rivals(ports: Collection[int], proxy: str) -> dict[int, str]:
    """The ports at which the other proxy is, or will be when it is started, and for which app."""
    there = [one for one in present() if one.proxy != proxy] if ports else []
    return {
        port: one.app
        for one in there
        for port in ports
        if port in one.ports and clashes(port, proxy, one.proxy)
    }


def refusals(
    entries: Sequence[PortMap],
    names: Collection[str],
    others: Iterable[Listening],
    general: str = "",
    proxy: str = "nginx",
) -> list[str]:
    """For each entry of an app why it can't be served, for a person to read; empty when it can.

    names: that the app would be served under; none for all. general: the host's name, if that is the one,
    as the app has no domains and is at a port that is everybody's.
    """
    app = _Newcomer(names, general, proxy, shared(proxy))
    host = "the host" if proxy == "nginx" else proxy
    neighbours = list(others)
    taken = set()
    found = []
    for entry in entries:
        here = [other for other in neighbours if entry.host in other.ports]
        reason = (
            _against(entry, app.shared, f"{host} speaks")
            or (f"another entry is at port {entry.host} already" if entry.host in taken else "")
            or next(filter(None, (_against_other(entry, app, other) for other in here)), "")
        )
        found.append(reason)
        if not reason:
            taken.add(entry.host)
    return found


def _against(entry: PortMap, spoken: Mapping[int, str], who: str) -> str:
    there = spoken.get(entry.host, protocol(entry))
    return "" if there == protocol(entry) else f"{who} {SPOKEN[there]} at port {entry.host}"


def _against_other(entry: PortMap, app: _Newcomer, other: Listening) -> str:
    if other.proxy != app.proxy:
        for_whom = f" for {other.app}" if other.app else ""
        is_theirs = clashes(entry.host, app.proxy, other.proxy)
        return f"{other.proxy} is at port {entry.host}{for_whom}" if is_theirs else ""
    if app.general and app.general in other.names:
        return f"{other.app} answers to {app.general} at port {entry.host}"
    if entry.host in app.shared:
        return ""
    if not other.names:
        return f"{other.app} has no domains and answers to every name at port {entry.host}"
    if not app.names:
        return f"{other.app} is at port {entry.host} too, and there are no domains to tell them apart"
    return _against(entry, other.ports, f"{other.app} speaks")

"""What any proxy has to know of each app: the names and ports it may have, and where its containers are.

Nothing comes from a file that may be old: addresses are docker's answer of this moment, and only of
containers that carry the app's label.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from lib.app import apps, certs, domains, network_settings, ports
from lib.base import log
from lib.proxy import extra_ports, owners, proxies
from lib.runtime import containers, listeners


class Site(NamedTuple):
    """An app as its proxy serves it. names: none for one that answers to every name at its ports.

    addresses: of its running web containers; none when it is to answer 502.
    """

    app: str
    names: list[str]
    entries: list[ports.PortMap]
    addresses: list[str]


def gather(
    wanted: Sequence[str], closing: Collection[str] = (), leaving: Collection[str] = ()
) -> dict[str, Site | None]:
    """The site of each app, in one question to docker; None for one that is not to be served.

    closing: apps to answer 502 although their containers run. leaving: apps that give up their names.
    """
    served = [app for app in wanted if is_served(app)]
    named = sorted({name for app in served for name in domains.listed(app)})
    owner = owners.of(named, served, leaving) if named else {}
    addresses = listeners.addresses([app for app in served if app not in closing])
    for app in served:
        if not addresses.get(app) and app not in closing:
            log.warn_quiet(f"No web listeners specified for {app}")
    return {app: _site(app, addresses.get(app, []), owner) if app in served else None for app in wanted}


def is_served(app: str) -> bool:
    """Whether nginx is to know the app: something of it listens, and nginx is what brings it traffic."""
    if not proxies.is_enabled(app) or proxies.type_(app) != "nginx":
        return False
    found = apps.is_deployed(app) or containers.registered(app) or network_settings.listeners(app)
    return bool(found)


def _site(app: str, addresses: list[str], owner: dict[str, str]) -> Site | None:
    """None when it has no name of its own to be served under."""
    names = _names(app, owner)
    if not names and domains.is_enabled(app):
        log.warn(f"{app} has no domain of its own, nginx does not serve it")
        return None
    entries = _entries(app)
    if not domains.is_enabled(app) and any(entry.host in extra_ports.own() for entry in entries):
        names = [domains.hostname()]  # a server without a name would be everybody's there
    return Site(app, names, entries, addresses)


def _names(app: str, owner: dict[str, str]) -> list[str]:
    listed = domains.listed(app)
    for line in domains.stored(app) if domains.is_enabled(app) else []:
        if line not in listed:
            log.warn(f"Skipping invalid domain {line!a} of {app}")
        elif owner.get(line, app) != app:
            log.warn(f"Skipping domain {line} of {app}: it belongs to {owner[line]}")
    return [name for name in listed if owner.get(name, app) == app]


def _entries(app: str) -> list[ports.PortMap]:
    """The port map without what nginx can do only at the cost of other apps, or not at all."""
    found = [entry for entry in ports.mapped(app) if not entry.is_secure or certs.exists(app)]
    shared = extra_ports.own()
    spoken = shared if all(entry.host in shared for entry in found) else extra_ports.taken(besides=app)
    kept = []
    for entry in found:
        if spoken.setdefault(entry.host, _protocol(entry)) == _protocol(entry):
            kept.append(entry)
        else:
            log.warn(f"Skipping port map {entry} of {app}: another protocol is spoken at the port")
    return kept


def _protocol(entry: ports.PortMap) -> str:
    plain = extra_ports.HTTP2 if entry.scheme == "grpc" else extra_ports.PLAIN
    return extra_ports.TLS if entry.is_secure else plain

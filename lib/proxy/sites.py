"""What any proxy has to know of each app: the names and ports it may have, and where its containers are.

Nothing comes from a file that may be old: addresses are docker's answer of this moment, and only of
containers that carry the app's label.
"""

import functools
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from lib.app import apps, certs, domains, network_settings, ports, processes
from lib.app.port_maps import PortMap
from lib.base import log, triggers
from lib.proxy import extra_ports, host_sites, owners, port_owners, proxies
from lib.proxy.port_owners import Listening
from lib.runtime import containers, listeners

Neighbours = Callable[[], list[Listening]]


class Site(NamedTuple):
    """An app as its proxy serves it. names: none for one that answers to every name at its ports.

    entries: at the ports where this proxy has them. addresses: of its running web containers; none when it is
    to answer 502. refused: whether some of its port map can't be served.
    """

    app: str
    names: list[str]
    entries: list[PortMap]
    addresses: list[str]
    refused: bool = False


def gather(
    wanted: Sequence[str],
    leaving: Collection[str] = (),
    proxy: str = "nginx",
    settled: Mapping[str, Listening | None] = MappingProxyType({}),
) -> dict[str, Site | None]:
    """The site of each app, in one question to docker; None for one that this proxy is not to serve.

    leaving: apps that give up their names.
    settled: what apps of this proxy will have that are not gathered now.
    """
    served = [app for app in wanted if is_served(app, proxy)]
    named = sorted({name for app in served for name in domains.listed(app)})
    owner = owners.of(named, served, leaving, proxy, settled.keys()) if named else {}
    owner |= dict.fromkeys(_of_the_host(owner) if proxy == "nginx" else (), host_sites.OWNER)
    addresses = listeners.addresses(served)
    for app in wanted:
        if not addresses.get(app) and (app in served or _is_for_work_only(app)):
            log.warn_quiet(f"No web listeners specified for {app}")
    present = functools.cache(port_owners.present)
    found: dict[str, Site | None] = dict.fromkeys(wanted)
    done = dict(settled)
    for app in served:
        near = functools.partial(neighbours, app, proxy, present, done)
        found[app] = site = _site(app, addresses.get(app, []), owner, proxy, near)
        done[app] = site and _listening(site, proxy)
    return found


def _of_the_host(owner: Mapping[str, str]) -> list[str]:
    """Those of some names that are the host's; an app that is served under one already keeps it."""
    taken = host_sites.names() if owner else ()
    return [name for name, app in owner.items() if name in taken and name not in owners.served(app)]


def prepared(app: str, proxy: str) -> bool:
    """What comes before an app can be served, and whether it is to be.

    Fires: network-build-config, domains-setup.
    """
    if triggers.has_plugins("network-build-config"):  # ours asks docker, as `gather` does for all
        triggers.fire("network-build-config", app)
    if not proxies.is_enabled(app):
        log.info1(f"{proxy} support is disabled for app ({app}).")
        return False
    served = is_served(app, proxy)
    if served and domains.is_enabled(app) and not os.path.exists(domains.path(app)):
        triggers.fire("domains-setup", app)
    ports.settle(app)
    return served


def is_served(app: str, proxy: str = "nginx") -> bool:
    """Whether a proxy is to know the app: something of it listens, and that is what brings it traffic."""
    if not proxies.is_enabled(app) or proxies.type_(app) != proxy:
        return False
    if network_settings.listeners(app):
        return True
    return bool(apps.is_deployed(app) or containers.registered(app)) and not _is_for_work_only(app)


def _is_for_work_only(app: str) -> bool:
    """Whether the app runs, and not for visitors: then its name leads nowhere.

    One whose web processes were scaled down, or do not run, answers 502 instead.
    """
    if not proxies.is_enabled(app) or network_settings.listeners(app):
        return False
    running = {container.process for container in containers.registered(app)}
    had_one = owners.is_known(app) and "web" in (processes.procfile(app) or ["web"])
    return bool(running) and "web" not in running and not had_one


def _site(app: str, addresses: list[str], owner: dict[str, str], proxy: str, near: Neighbours) -> Site | None:
    """None when it has no name of its own to be served under."""
    names = _names(app, owner)
    if not names and domains.is_enabled(app):
        log.warn(f"{app} has no domain of its own, {proxy} does not serve it")
        return None
    servable, bare = _servable(app)
    names, entries, refused = _placed(app, servable, names, proxy, near)
    refused += [(entry, "there is no certificate") for entry in bare]
    for entry, reason in refused:
        log.warn(f"Skipping port map {entry} of {app}: {reason}")
    return Site(app, names, entries, addresses, bool(refused))


def foretell(app: str, *_: str) -> None:
    """Say what of the port map of an app that nobody serves yet would not be served as things stand."""
    proxy = proxies.type_(app)
    if not proxies.is_ours(proxy) or not proxies.is_enabled(app) or is_served(app, proxy):
        return
    near = functools.partial(neighbours, app, proxy, port_owners.present, {})
    for entry, reason in _placed(app, _servable(app)[0], domains.listed(app), proxy, near)[2]:
        log.warn(f"Port map {entry} of {app} can't be served: {reason}")


def _servable(app: str) -> tuple[list[PortMap], list[PortMap]]:
    """The entries of the port map that there is all for, and those that lack a certificate."""
    mapped, is_certified = ports.mapped(app), certs.exists(app)
    bare = [entry for entry in mapped if entry.is_secure and not is_certified]
    return [entry for entry in mapped if entry not in bare], bare


def _placed(
    app: str, mapped: Sequence[PortMap], names: list[str], proxy: str, near: Neighbours
) -> tuple[list[str], list[PortMap], list[tuple[PortMap, str]]]:
    """The names, the entries that can be served, and why the others can't: at the cost of other apps.

    The entries stand at the proxy's ports; those for which it has another than the map says come first.
    """
    pairs = [(entry, entry._replace(host=proxies.served_port(proxy, entry.host))) for entry in mapped]
    pairs.sort(key=lambda pair: pair[0] == pair[1])
    wanted = [served for _, served in pairs]
    everybodys = port_owners.shared(proxy)
    general = ""
    if not domains.is_enabled(app) and any(entry.host in everybodys for entry in wanted):
        general = domains.hostname()  # a server without a name would be everybody's there
        names = [general]
    usual = everybodys.keys() & extra_ports.own()
    at_home = names and not general and all(entry.host in usual for entry in wanted)
    reasons = port_owners.refusals(wanted, names, [] if at_home else near(), general, proxy)
    refused = [(entry, reason) for (entry, _), reason in zip(pairs, reasons, strict=True) if reason]
    return names, [entry for entry, reason in zip(wanted, reasons, strict=True) if not reason], refused


def _listening(site: Site, proxy: str) -> Listening:
    return Listening(site.app, {e.host: port_owners.protocol(e) for e in site.entries}, site.names, proxy)


def neighbours(
    app: str,
    proxy: str,
    present: Callable[[], Sequence[Listening]],
    done: Mapping[str, Listening | None],
) -> list[Listening]:
    """What the other apps have: those just done what they will have, the rest what they have.

    What the app itself has at another proxy counts as well: that one listens there.
    """
    before = (one for one in present() if one.proxy != proxy or (one.app != app and one.app not in done))
    return [*before, *(one for name, one in done.items() if one and name != app)]


def _names(app: str, owner: dict[str, str]) -> list[str]:
    listed = domains.listed(app)
    for line in domains.stored(app) if domains.is_enabled(app) else []:
        if not domains.meant(line):
            log.warn(f"Skipping invalid domain {line!a} of {app}")
    for name in listed:
        if owner.get(name, app) != app:
            log.warn(f"Skipping domain {name} of {app}: it belongs to {owner[name]}")
    return [name for name in listed if owner.get(name, app) == app]

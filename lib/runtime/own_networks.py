"""Each app's own network: where the proxy finds its containers, at addresses that can't become another app's.

A bridge `dokku.app.APP` for the app's deployed containers and the host alone, beside the networks that they
are on anyway. It leads nowhere else, so nobody outside and no other app's container reaches them there, nor
can one claim their addresses. Each container is given its address by us, as part of its definition: it has it
again after every restart of itself, of docker and of the host. docker judges which parts of the range are
free.
"""

import zlib
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network
from typing import Any

from lib.app import apps
from lib.base import log, procfs, settings
from lib.base.errors import DokkuError, ToolFailed
from lib.runtime import addresses, containers
from lib.tools import docker, docker_networks

PREFIX = 25  # bits of a network's address: 125 containers, of an old and a new version together
ATTEMPTS = 5  # at a part of the range that others take at the same instant


_refused: set[str] = set()  # apps with a container that this process could not put there


def attach(app: str, ids: Sequence[str]) -> None:
    """Put containers on the app's own network, running or not; under the deploy lock.

    Nothing for those that are there, and those without a network of their own (`--network host`). Where
    docker refuses, or no address is left, this is told once, and the proxy finds the containers on the other
    networks that they are on (addresses.py): apps can be served without.
    """
    if app in _refused:
        return
    try:
        _attach(app, ids)
    except DokkuError as error:
        _refused.add(app)
        why = "; ".join(line.strip() for line in error.lines)
        log.warn(f"{app} has no address of its own, docker may give its address to others: {why}")


def _attach(app: str, ids: Sequence[str]) -> None:
    """Raises: DokkuError when docker refuses, or has no address left."""
    name = addresses.own_network(app)
    on_it = docker.containers(f"network={name}")
    known = {one["Id"]: one for one in docker.inspect(*dict.fromkeys([*ids, *on_it]))}
    missing = [id_ for id_ in ids if id_ in known and addresses.lacks_own(known[id_])]
    if not missing:
        return
    taken = {addresses.own(one) for one in known.values()}
    free = (text for ip in list(_made(app, name).hosts())[1:] if (text := str(ip)) not in taken)
    for id_ in missing:
        ip = next(free, "")
        if not ip:
            raise DokkuError(f"Network {name} has no address left for another container of {app}")
        docker_networks.connect(name, id_, ip=ip)


def remove(app: str) -> None:
    """Take the app's own network away; its containers are gone."""
    name = addresses.own_network(app)
    if not docker_networks.inspect(name):
        return
    try:
        docker_networks.remove(name)
    except ToolFailed as error:
        log.warn(f"Network {name} stays: {error.text}")


def _made(app: str, name: str) -> IPv4Network:
    """The addresses of the app's own network, which is made if it is not there."""
    found = _subnets(docker_networks.inspect(name))
    for attempt in range(ATTEMPTS):
        if found:
            return found[0]
        there = docker_networks.inspect(*(network.id for network in docker_networks.all_()))
        wanted = _free(app, [*_subnets(there), *_routed(), *_recorded(app)])
        try:
            docker_networks.create_internal(name, str(wanted), {**settings.LABELS, addresses.LABEL: app})
        except ToolFailed:  # another app may have got these addresses just now: docker knows
            if attempt == ATTEMPTS - 1:
                raise
        found = _subnets(docker_networks.inspect(name))
    raise DokkuError(f"Network {name} has no IPv4 addresses; remove it: docker network rm {name}")


def _free(app: str, taken: Sequence[IPv4Network]) -> IPv4Network:
    """A part of the range that nobody has: first looked for at a place of the app's own.

    So an app gets its former addresses again, and no new app those of one that has just gone.
    """
    ranges = settings.app_networks()
    for whole in map(_range, ranges):
        parts = list(whole.subnets(new_prefix=PREFIX))
        start = zlib.crc32(app.encode()) % len(parts)
        near = [one for one in taken if one.overlaps(whole)]
        for part in (*parts[start:], *parts[:start]):
            if not any(part.overlaps(one) for one in near):
                return part
    hint = "Name another range in DOKKU_APP_NETWORKS, in /etc/default/dokku"
    raise DokkuError(f"No addresses left for the network of {app} in {', '.join(ranges)}", more=(hint,))


def _range(text: str) -> IPv4Network:
    try:
        found = IPv4Network(text)
    except ValueError:
        raise DokkuError(f"DOKKU_APP_NETWORKS names no range of IPv4 addresses: {text!a}") from None
    if found.prefixlen > PREFIX:
        raise DokkuError(f"DOKKU_APP_NETWORKS names too small a range, it must be /{PREFIX} at least: {text}")
    return found


def _subnets(networks: Sequence[docker.Json]) -> list[IPv4Network]:
    parts: list[dict[str, Any]] = [
        part for one in networks for part in (one.get("IPAM") or {}).get("Config") or []
    ]
    texts = [str(part.get("Subnet") or "") for part in parts]
    return [IPv4Network(text, strict=False) for text in texts if text and ":" not in text]


def _routed() -> Iterator[IPv4Network]:
    """What the host has routes to, the default route aside: others may be there."""
    return (IPv4Network((place, mask.bit_count())) for place, mask in procfs.routes())


def _recorded(app: str) -> Iterator[IPv4Network]:
    """Where other apps' containers were last: their proxies may lead there while docker has lost them."""
    for other in apps.names():
        for one in containers.registered(other) if other != app else []:
            if one.ip and ":" not in one.ip:
                yield IPv4Network(one.ip)

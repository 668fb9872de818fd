"""At which of a container's addresses the host reaches it: the proxy leads there.

The network of its app alone (own_networks.py) comes first: there it keeps its address. Containers of older
releases are not on it, nor those without networks. Of these docker's own bridge comes first, then the network
that the container was made on, then others by name. Only a bridge is a network that the host is part of for
sure; what drivers such as macvlan give out counts last.
"""

from collections.abc import Callable, Mapping
from typing import Any

from lib.app import network_settings
from lib.tools import docker, docker_networks

Drivers = Callable[[], Mapping[str, str]]  # each network's driver by name, asked for only where it matters

HOST = "127.0.0.1"  # of a container without a network of its own
LABEL = "com.dokku.app-name"


def own_network(app: str) -> str:
    """The name of the network that only the app's containers and the host are on."""
    return f"{network_settings.OF_APPS}{app}"


def own(known: docker.Json) -> str:
    """A container's address on its app's own network, also while it is down; empty without one."""
    there = networks(known).get(own_network(_app(known))) or {}
    return str((there.get("IPAMConfig") or {}).get("IPv4Address") or there.get("IPAddress") or "")


def lacks_own(known: docker.Json) -> bool:
    """Whether a container could be on its app's own network and is not.

    One that shares the network of the host or of another container can't, nor one that is to have none.
    """
    mode = known["HostConfig"].get("NetworkMode") or ""
    is_able = mode not in ("host", "none") and not mode.startswith("container:")
    return is_able and own_network(_app(known)) not in networks(known)


def preferred(known: docker.Json, drivers: Drivers) -> str:
    """The address of a container for the host's own programs; empty for none."""
    if kept := own(known):
        return kept
    mode = known["HostConfig"].get("NetworkMode")
    if mode == "host":
        return HOST
    found = all_(known)
    if len(found) < 2 or "bridge" in found:
        return found.get("bridge") or next(iter(found.values()), "")
    kinds = drivers()
    return found[min(found, key=lambda name: (kinds.get(name) != "bridge", name != mode, name))]


def all_(known: docker.Json) -> dict[str, str]:
    """A container's addresses by network. A daemon that names no networks has the bridge."""
    there = known["NetworkSettings"]
    found = {name: one["IPAddress"] for name, one in networks(known).items() if one.get("IPAddress")}
    alone = there.get("IPAddress")
    return {"bridge": alone, **found} if alone else found


def networks(known: docker.Json) -> dict[str, Any]:
    """What docker knows of a container on each network, by name."""
    found: dict[str, Any] = known["NetworkSettings"].get("Networks") or {}
    return found


def drivers() -> dict[str, str]:
    return {network.name: network.driver for network in docker_networks.all_()}


def _app(known: docker.Json) -> str:
    return str((known.get("Config", {}).get("Labels") or {}).get(LABEL, ""))

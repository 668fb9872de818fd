"""network:create and its like: the host's docker networks, whoever is on them.

Source: dokku v0.24.0 plugins/network; network:info and the JSON are later.
"""

import json
from typing import Any

from lib.app import apps, network_settings
from lib.base import log
from lib.base.errors import DokkuError
from lib.tools import docker_networks
from lib.tools.docker_networks import Network

LABEL = "com.dokku.network-name"
APP = "com.dokku.app-name"  # of the network of an app alone


def create(name: str) -> None:
    """Make a network for containers of several apps. Raises: ToolFailed with docker's reason."""
    network_settings.verify_is_free(name)
    log.info1_quiet(f"Creating network {name}")
    docker_networks.create(name, {LABEL: name})


def destroy(name: str, force: bool) -> None:
    """Take a network away that nobody is on, after asking. Raises: DokkuError with docker's reason."""
    network_settings.verify_name(name)
    apps.confirm_destruction(name, force, "network")
    log.info1_quiet(f"Destroying network {name}")
    docker_networks.remove(name)


def tell_existence(name: str) -> None:
    """Say that a network exists. Raises: DokkuError when it does not."""
    _named(name)
    log.info1_quiet("Network exists")


def show(name: str, shape: str) -> None:
    """Print what docker knows of a network, as text or as an object."""
    if shape not in ("text", "stdout", "json"):
        raise DokkuError("Invalid format specified, use either text or json")
    network = _named(name)
    if shape == "json":
        log.plain(json.dumps(_object(network), ensure_ascii=False))
        return
    log.info2_quiet(f"{name} network information")
    labels = ("ID", "Name", "Driver", "Scope")
    ours = str(LABEL in network.labels).lower()
    for label, value in [*zip(labels, network[:4], strict=True), ("Dokku managed", ours)]:
        log.verbose(f"{label + ':':<15}{value}")


def list_(shape: str, ours_only: bool) -> None:
    """Print the names of all networks, or an array of objects. ours_only: those that network:create made.

    Not the network of each app alone (lib/runtime/own_networks.py): nothing else can be on it.
    """
    if shape not in ("text", "stdout", "json"):
        raise DokkuError("Invalid format specified, use either text or json")
    known = [one for one in docker_networks.all_() if APP not in one.labels]
    found = [one for one in known if LABEL in one.labels or not ours_only]
    if shape == "json":
        log.plain(json.dumps([_object(network) for network in found], ensure_ascii=False))
        return
    log.info2_quiet("Networks")
    for network in found:
        log.plain(network.name)


def _named(name: str) -> Network:
    network_settings.verify_name(name)
    found = [network for network in docker_networks.all_() if network.name == name]
    if not found:
        raise DokkuError("Network does not exist")
    return found[0]


def _object(network: Network) -> dict[str, Any]:
    return {
        "CreatedAt": network.created_at,
        "Driver": network.driver,
        "ID": network.id,
        "Internal": network.is_internal,
        "IPv6": network.has_ipv6,
        "Labels": network.labels,
        "Name": network.name,
        "Scope": network.scope,
    }

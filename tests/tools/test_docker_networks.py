"""Networks on real docker: made, told apart, joined by a container under other names, and taken away."""

import json
import os
import secrets
import shutil
import subprocess

import pytest

from lib.base.errors import ToolFailed
from lib.runtime import addresses
from lib.tools import docker, docker_networks
from tests.system.conftest import BASE_IMAGE, _build_base_image

if (
    not shutil.which("docker")
    or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
):
    pytest.skip("no docker here", allow_module_level=True)

NAME = f"dokku-tools-network-{os.getpid()}"  # tests may run beside each other


@pytest.fixture
def network():
    docker_networks.create(NAME, {"a.test": "x=1,y", "b.test": "2"})
    yield NAME
    subprocess.run(["docker", "network", "rm", NAME], capture_output=True, check=False)


@pytest.fixture
def container():
    """One that sleeps, on docker's own bridge."""
    _build_base_image()
    id_ = docker.create("", BASE_IMAGE, ["sleep", "600"], {}, ["--init"])
    yield id_
    docker.remove(id_)


def named():
    return {network.name: network for network in docker_networks.all_()}


def test_a_network_is_told_as_docker_made_it(network):
    found = named()
    assert {"bridge", "host", "none"} <= found.keys()
    assert list(found) == sorted(found)
    ours = found[network]
    assert (ours.driver, ours.scope, ours.is_internal, ours.has_ipv6) == ("bridge", "local", False, False)
    assert ours.labels["b.test"] == "2"
    assert len(ours.id) == 64
    docker_networks.remove(network)
    assert network not in named()


def test_dockers_reason_is_one_line(network):
    with pytest.raises(
        ToolFailed, match=rf"^docker network create: network with name {network} already exists$"
    ):
        docker_networks.create(network, {})
    with pytest.raises(
        ToolFailed,
        match=r"^docker network rm: (network nope-\S+ not found|Error: No such network: nope-\S+)$",
    ):
        docker_networks.remove(f"nope-{network}")


def test_a_container_joins_under_its_names_and_holds_the_network(network, container):
    docker_networks.connect(network, container, ["blog.web", "box.blog.web"])
    docker.start(container)
    known = docker.inspect(container)[0]
    there = addresses.networks(known)
    assert there.keys() == {"bridge", network}
    assert {"blog.web", "box.blog.web"} <= set(there[network]["Aliases"])
    assert addresses.preferred(known, addresses.drivers) == there["bridge"]["IPAddress"]
    with pytest.raises(ToolFailed, match="active endpoints"):
        docker_networks.remove(network)
    subprocess.run(["docker", "network", "disconnect", "bridge", container], check=True)
    known = docker.inspect(container)[0]
    assert addresses.preferred(known, addresses.drivers) == there[network]["IPAddress"]


def test_an_internal_network_gives_a_container_the_address_that_it_is_to_have(container):
    name, subnet = f"{NAME}-own", f"10.{secrets.randbelow(90) + 100}.{secrets.randbelow(256)}"
    docker_networks.create_internal(name, f"{subnet}.0/25", {"a": "b"})
    try:
        docker_networks.connect(name, container, ip=f"{subnet}.9")
        assert docker.containers(f"network={name}") == [container], "also one that was never started"
        docker.start(container)
        there = addresses.networks(docker.inspect(container)[0])[name]
        assert (there["IPAddress"], there["IPAMConfig"]["IPv4Address"]) == (f"{subnet}.9", f"{subnet}.9")
        (known,) = docker_networks.inspect(name, f"nope-{name}")
        assert (known["Internal"], known["IPAM"]["Config"][0]["Subnet"]) == (True, f"{subnet}.0/25")
    finally:
        docker.remove(container)
        docker_networks.remove(name)


def test_labels_with_commas_stay_whole():
    row = {"ID": "1", "Name": "n", "Driver": "bridge", "Scope": "local", "CreatedAt": "now"}
    labels = docker_networks._network(json.loads(json.dumps(row | {"Labels": "a=1,2,b=,c"}))).labels
    assert labels == {"a": "1,2", "b": ",c"}

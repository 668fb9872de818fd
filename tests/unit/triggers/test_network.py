"""network-*: what schedulers and proxies of plugins ask about an app's containers."""

import json
import os

import pytest

from lib.app import config, network_settings
from lib.base import files, log, properties, settings, triggers
from lib.base.errors import DokkuError
from lib.runtime import containers
from lib.runtime.containers import Container

APP = "blog"
A = "a" * 64


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


@pytest.fixture
def running(shell):
    """A web container that is registered and runs."""
    known = {
        "Id": A,
        "Name": "/x",
        "Image": "sha256:1",
        "RestartCount": 0,
        "State": {"Status": "running", "Running": True, "StartedAt": ""},
        "Config": {"Labels": {"com.dokku.app-name": APP}},
        "HostConfig": {},
        "NetworkSettings": {"IPAddress": "172.17.0.2"},
    }
    shell.answers("docker container inspect …", out=json.dumps(known) + "\n")
    containers.adopt(APP, [Container(APP, "web", 1, A, "172.17.0.2", "3000")], [])
    containers.settle(APP)


def test_ports_are_the_exposed_ones_that_are_not_udp():
    assert triggers.ask("network-compute-ports", APP, "web", "false", "1") == "5000\n"
    config.set_values(APP, {"DOKKU_DOCKERFILE_PORTS": "3001/udp 3000/tcp 8080"})
    assert triggers.ask("network-compute-ports", APP, "web", "false", "1") == "3000 8080\n"
    assert triggers.ask("network-compute-ports", APP, "web", "true", "1") == "5000\n"
    assert triggers.ask("network-get-port", APP, "web", A, "false") == "3000\n"
    assert triggers.ask("network-get-port", APP, "web", A, "true") == "5000\n"


def test_a_container_is_where_docker_says(running):
    assert triggers.ask("network-get-ipaddr", APP, "web", A) == "172.17.0.2\n"
    assert triggers.ask("network-get-ipaddr", APP, "web", "--help") == "\n"


def test_listeners_are_those_of_a_type(running, said):
    assert triggers.ask("network-get-listeners", APP, "web") == "172.17.0.2:3000\n"
    assert triggers.ask("network-get-listeners", APP, "worker") == "\n"
    assert said == []
    assert triggers.ask("network-get-listeners", APP) == "172.17.0.2:3000\n"
    assert said[0][1].startswith(b" !     Deprecated: Please specify a processType argument")


def test_static_listeners_are_told_apart(running):
    assert triggers.ask("network-get-static-listeners", APP, "web") == ""
    properties.write("network", APP, network_settings.STATIC, "10.0.0.7")
    assert triggers.ask("network-get-static-listeners", APP, "web") == "10.0.0.7:3000\n"
    assert triggers.ask("network-get-listeners", APP, "web") == "10.0.0.7:3000\n"
    assert triggers.ask("network-get-static-listeners", APP, "worker") == ""


def test_the_configuration_exists_once_address_and_port_are_known():
    assert triggers.ask("network-config-exists", APP) == "false\n"
    triggers.fire("network-write-ipaddr", APP, "web", "1", "10.0.0.7")
    assert triggers.ask("network-config-exists", APP) == "false\n"
    triggers.fire("network-write-port", APP, "web", "1", "8080")
    assert triggers.ask("network-config-exists", APP) == "true\n"
    assert files.read(f"{settings.app_dir(APP)}/IP.web.1") == "10.0.0.7"
    assert files.read(f"{settings.app_dir(APP)}/PORT.web.1") == "8080"


def test_what_is_no_address_is_not_written():
    with pytest.raises(DokkuError, match="Invalid address of a container"):
        triggers.fire("network-write-ipaddr", APP, "web", "1", "10.0.0.7; }")
    with pytest.raises(DokkuError, match="App nope does not exist"):
        triggers.fire("network-write-port", "nope", "web", "1", "80")


def test_a_property_is_the_apps_own_or_everybodys():
    assert triggers.ask("network-get-property", APP, "bind-all-interfaces") == "false"
    properties.write("network", "--global", "tld", "local")
    assert triggers.ask("network-get-property", APP, "tld") == "local"
    assert triggers.ask("network-get-property", APP, "none") == ""

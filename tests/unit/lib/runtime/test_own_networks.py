"""An app's own network: where its addresses are, who is put on it, and when it goes."""

import json
import os

import pytest

from lib.base import log, procfs, settings
from lib.runtime import addresses, containers, own_networks
from lib.runtime.containers import Container

APP = "blog"
NAME = "dokku.app.blog"
A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


def known(id_, networks=(), mode="default", own=""):
    there = {name: {"IPAddress": ""} for name in networks}
    if own:
        there[NAME] = {"IPAddress": "", "IPAMConfig": {"IPv4Address": own}}
    return {
        "Id": id_,
        "Config": {"Labels": {"com.dokku.app-name": APP}},
        "HostConfig": {"NetworkMode": mode},
        "NetworkSettings": {"Networks": there},
    }


def inspected(shell, *answers):
    shell.answers("docker container inspect …", out="".join(f"{json.dumps(answer)}\n" for answer in answers))


def network(shell, *subnets):
    """What docker says next of the networks that it is asked for."""
    rows = [{"IPAM": {"Config": [{"Subnet": subnet}]}} for subnet in subnets]
    shell.answers("docker network inspect …", out="".join(f"{json.dumps(row)}\n" for row in rows))


def there(shell, *names):
    row = {"ID": "1", "Driver": "bridge", "Scope": "local", "CreatedAt": "now", "Labels": ""}
    shell.answers(
        "docker network ls …", out="".join(json.dumps(row | {"Name": name}) + "\n" for name in names)
    )


def ran(shell, word):
    return [line.partition(f"{word} ")[2] for line in shell.ran if line.startswith(f"docker network {word} ")]


def made(shell):
    """The addresses of the networks that were made."""
    return [line.partition("--subnet=")[2].split()[0] for line in ran(shell, "create")]


def told(said):
    return [text.decode() for stream, text in said if stream == 2]


def attached_to_a_new_one(shell, *taken, then=("172.16.9.0/25",)):
    inspected(shell, known(A, ["bridge"]))
    network(shell)
    there(shell, "bridge")
    network(shell, *taken)
    network(shell, *then)
    own_networks.attach(APP, [A])


def test_containers_get_the_first_addresses_that_no_other_of_the_app_has_even_one_that_is_down(shell):
    shell.answers("docker container ls …", out=f"{C}\n")
    inspected(shell, known(A, ["bridge"]), known(B, ["bridge"]), known(C, own="172.16.9.3"))
    network(shell, "172.16.9.0/25")
    own_networks.attach(APP, [A, B])
    assert ran(shell, "connect") == [f"--ip=172.16.9.2 -- {NAME} {A}", f"--ip=172.16.9.4 -- {NAME} {B}"]
    assert made(shell) == []


@pytest.mark.parametrize("mode", ["host", "none", f"container:{B}"])
def test_a_container_without_a_network_of_its_own_stays_as_it_is(shell, mode):
    inspected(shell, known(A, mode=mode))
    own_networks.attach(APP, [A])
    assert ran(shell, "connect") == ran(shell, "create") == []


def test_a_container_that_is_on_it_is_left_there(shell):
    inspected(shell, known(A, own="172.16.9.2"))
    own_networks.attach(APP, [A])
    assert ran(shell, "connect") == []


def test_the_network_is_made_where_it_is_not_there_and_leads_nowhere_else(shell):
    attached_to_a_new_one(shell)
    (line,) = ran(shell, "create")
    assert line.startswith("--internal --driver=bridge --subnet=172.16.")
    assert line.endswith(f"--label=com.dokku.app-name={APP} -- {NAME}")
    assert ran(shell, "connect") == [f"--ip=172.16.9.2 -- {NAME} {A}"]


@pytest.mark.parametrize(
    ("taken", "found"), [((), "172.16.161.128/25"), (("172.16.161.128/25",), "172.16.162.0/25")]
)
def test_an_app_gets_the_same_addresses_each_time_or_those_that_follow(shell, taken, found):
    attached_to_a_new_one(shell, *taken)
    assert made(shell) == [found]


def test_addresses_that_docker_or_the_host_has_are_left_to_them(shell, fs, monkeypatch):
    monkeypatch.setattr(procfs, "ROOT", "/kernel")
    monkeypatch.setenv("DOKKU_APP_NETWORKS", "10.5.0.0/23, 10.6.0.0/24")
    fs.create_file(
        "/kernel/net/route",
        contents="Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
        "eth0 00000000 0100000A 0003 0 0 0 00000000 0 0 0\n"
        "eth1 8000050A 00000000 0001 0 0 0 80FFFFFF 0 0 0\n",
    )
    os.makedirs(settings.app_dir("shop"))
    containers.adopt("shop", [Container("shop", "web", 1, B, "10.6.0.9", "5000")], [])
    attached_to_a_new_one(shell, "10.5.0.0/25", "10.5.1.0/24", "fd00::/64")
    assert made(shell) == ["10.6.0.128/25"]


def test_where_others_were_faster_it_is_tried_again(shell):
    shell.answers("docker network create …", err="Error response from daemon: Pool overlaps\n", status=1)
    inspected(shell, known(A, ["bridge"]))
    network(shell)
    there(shell, "bridge")
    network(shell)
    network(shell)
    there(shell, "bridge", "other")
    network(shell, "172.16.0.0/17")
    network(shell, "172.16.200.0/25")
    own_networks.attach(APP, [A])
    assert len(made(shell)) == 2
    assert ran(shell, "connect") == [f"--ip=172.16.200.2 -- {NAME} {A}"]


def test_a_range_that_is_full_is_told_with_what_to_do(shell, said, monkeypatch):
    monkeypatch.setenv("DOKKU_APP_NETWORKS", "10.5.0.0/24")
    attached_to_a_new_one(shell, "10.0.0.0/8")
    (line,) = told(said)
    assert "No addresses left for the network of blog in 10.5.0.0/24" in line
    assert "Name another range in DOKKU_APP_NETWORKS" in line
    assert ran(shell, "create") == ran(shell, "connect") == []


@pytest.mark.parametrize("text", ["10.5.0.0/26", "10.5.0.1/24", "here"])
def test_a_range_that_is_none_is_told_and_not_used(shell, said, monkeypatch, text):
    monkeypatch.setenv("DOKKU_APP_NETWORKS", text)
    attached_to_a_new_one(shell)
    (line,) = told(said)
    assert "DOKKU_APP_NETWORKS names" in line
    assert ran(shell, "create") == []


@pytest.mark.parametrize("word", ["create", "connect"])
@pytest.mark.parametrize(
    "why", ["could not find an available, non-overlapping IPv4 address pool", "unknown flag: --internal"]
)
def test_a_docker_that_refuses_is_told_of_once_and_what_is_done_goes_on(shell, said, word, why):
    shell.answers(f"docker network {word} …", err=f"{why}\n", status=1)
    inspected(shell, known(A, ["bridge"]), known(B, ["bridge"]))
    shell.answers("docker network inspect …", out="")
    if word == "connect":
        network(shell, "172.16.9.0/25")
    own_networks.attach(APP, [A, B])
    tried = len(shell.ran)
    own_networks.attach(APP, [A, B])
    (line,) = told(said)
    assert line.startswith(" !     blog has no address of its own, docker may give its address to others: ")
    assert why in line
    assert len(shell.ran) == tried


def test_an_app_with_too_many_containers_is_told_so(shell, said):
    used = [known(str(number), own=f"172.16.9.{number}") for number in range(2, 127)]
    inspected(shell, known(A, ["bridge"]), *used)
    network(shell, "172.16.9.0/25")
    own_networks.attach(APP, [A])
    (line,) = told(said)
    assert f"Network {NAME} has no address left" in line
    assert ran(shell, "connect") == []


def test_it_goes_with_the_app(shell):
    network(shell, "172.16.9.0/25")
    network(shell)
    own_networks.remove(APP)
    own_networks.remove(APP)
    assert ran(shell, "rm") == [f"-- {NAME}"]


def test_one_that_somebody_else_is_on_stays_and_is_told_of(shell, said):
    network(shell, "172.16.9.0/25")
    shell.answers("docker network rm …", err="Error response from daemon: active endpoints\n", status=1)
    own_networks.remove(APP)
    assert b"active endpoints" in said[-1][1]


def test_a_container_has_its_own_address_while_it_is_down(shell):
    assert addresses.own(known(A, ["bridge"], own="172.16.9.2")) == "172.16.9.2"
    assert addresses.preferred(known(A, ["bridge"], own="172.16.9.2"), dict) == "172.16.9.2"
    assert not addresses.lacks_own(known(A, own="172.16.9.2"))
    assert addresses.lacks_own(known(A, ["bridge"]))

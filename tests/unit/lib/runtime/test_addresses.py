"""At which address the host reaches a container that has several."""

import hypothesis
import hypothesis.strategies as st
import pytest

from lib.runtime import addresses

APP = "blog"
NAMES = st.sampled_from(["bridge", "a", "b", "c", "lan"])
ADDRESSES = st.sampled_from(["", "10.0.0.2", "10.1.0.2", "10.2.0.2"])


def known(networks, mode="default", alone=""):
    there = {name: {"IPAddress": ip} for name, ip in networks.items()}
    return {
        "HostConfig": {"NetworkMode": mode},
        "NetworkSettings": {"IPAddress": alone, "Networks": there},
    }


def unasked():
    raise AssertionError("nothing to decide")


def test_dockers_own_bridge_comes_first():
    assert addresses.preferred(known({"a": "10.0.0.2", "bridge": "172.17.0.2"}), unasked) == "172.17.0.2"


def test_a_container_on_a_network_of_its_own_has_its_address_there():
    assert addresses.preferred(known({"none": "", "mine": "10.1.0.2"}), unasked) == "10.1.0.2"


def test_a_container_on_the_hosts_network_is_at_home():
    assert addresses.preferred(known({"host": ""}, "host"), unasked) == "127.0.0.1"


@pytest.mark.parametrize("there", [{}, {"Networks": None}, {"Networks": {"new": {}}}, {"IPAddress": ""}])
def test_a_container_without_a_network_has_no_address(there):
    one = {"HostConfig": {}, "NetworkSettings": there}
    assert addresses.preferred(one, unasked) == ""
    assert addresses.all_(one) == {}


def test_a_daemon_that_names_no_networks_has_the_bridge():
    one = {"HostConfig": {}, "NetworkSettings": {"IPAddress": "172.17.0.2"}}
    assert addresses.all_(one) == {"bridge": "172.17.0.2"}


def test_a_bridge_is_reached_rather_than_what_another_driver_gives_out():
    one = known({"a-lan": "192.168.1.7", "b": "10.1.0.2"}, mode="a-lan")
    assert addresses.preferred(one, lambda: {"a-lan": "macvlan", "b": "bridge"}) == "10.1.0.2"


def test_of_several_bridges_it_is_the_one_that_the_container_was_made_on():
    one = known({"a": "10.0.0.2", "b": "10.1.0.2"}, mode="b")
    assert addresses.preferred(one, lambda: {"a": "bridge", "b": "bridge"}) == "10.1.0.2"


@hypothesis.given(
    st.dictionaries(NAMES, ADDRESSES), NAMES, st.dictionaries(NAMES, st.sampled_from(["bridge", "x"]))
)
@hypothesis.settings(max_examples=60)
def test_the_address_is_one_of_the_containers_and_the_same_each_time(networks, mode, drivers):
    one = known(networks, mode)
    found = addresses.preferred(one, lambda: drivers)
    assert found in {*networks.values(), ""}
    assert bool(found) == any(networks.values())
    assert found == addresses.preferred(known(dict(reversed(networks.items())), mode), lambda: drivers)

"""The host's networks as network:list, :info and :exists tell of them."""

import json

import pytest

from lib.base import log
from lib.base.errors import DokkuError
from lib.host import networks

ROW = {
    "ID": "1" * 64,
    "Driver": "bridge",
    "Scope": "local",
    "CreatedAt": "now",
    "IPv6": "true",
    "Internal": "true",
}


@pytest.fixture(autouse=True)
def said(shell):
    """What the code under test writes, on stdout."""
    rows = [
        ROW | {"Name": "shared", "Labels": "com.dokku.network-name=shared"},
        ROW | {"Name": "bridge", "Labels": ""},
        ROW | {"Name": "dokku.app.blog", "Labels": "dokku=,com.dokku.app-name=blog"},
    ]
    shell.answers("docker network ls …", out="".join(json.dumps(row) + "\n" for row in rows))
    with log.collected() as lines:
        yield lambda: b"".join(data for stream, data in lines if stream == 1).decode()


def test_networks_are_listed_by_name_without_those_of_one_app_alone(said):
    networks.list_("text", ours_only=False)
    assert said() == "=====> Networks\nbridge\nshared\n"


def test_those_of_others_may_be_left_out(said):
    networks.list_("json", ours_only=True)
    assert json.loads(said()) == [
        {
            "CreatedAt": "now",
            "Driver": "bridge",
            "ID": "1" * 64,
            "Internal": True,
            "IPv6": True,
            "Labels": {"com.dokku.network-name": "shared"},
            "Name": "shared",
            "Scope": "local",
        }
    ]


def test_one_is_told_of_in_rows_or_as_an_object(said):
    networks.show("bridge", "text")
    assert said().splitlines()[2:] == [
        "       Name:          bridge",
        "       Driver:        bridge",
        "       Scope:         local",
        "       Dokku managed: false",
    ]
    networks.show("bridge", "json")
    assert json.loads(said().splitlines()[-1])["Name"] == "bridge"


@pytest.mark.parametrize("ask", [networks.tell_existence, lambda name: networks.show(name, "text")])
def test_one_that_is_not_there_is_an_error(ask):
    with pytest.raises(DokkuError, match=r"^Network does not exist$"):
        ask("share")
    with pytest.raises(DokkuError, match=r"^No network name specified$"):
        ask("")


@pytest.mark.parametrize("name", ["--driver=x", "a b", "a/b", "-", "a\n", "ä", ".a"])
def test_a_name_that_docker_could_misread_never_gets_there(shell, name):
    """RUN-2, NAME-14"""
    for do in (networks.create, lambda name: networks.destroy(name, force=True), networks.tell_existence):
        with pytest.raises(DokkuError, match="Invalid network name specified"):
            do(name)
    assert shell.ran == []


def test_a_shape_that_nobody_knows_is_refused(shell):
    for show in (lambda: networks.list_("xml", ours_only=False), lambda: networks.show("bridge", "xml")):
        with pytest.raises(DokkuError, match="Invalid format specified, use either text or json"):
            show()
    assert shell.ran == []


def test_no_network_is_made_under_the_name_of_an_apps_own(shell):
    with pytest.raises(DokkuError, match=r"dokku\.app\.\* are apps' own networks: dokku\.app\.shop"):
        networks.create("dokku.app.shop")
    networks.create("dokku.apps")
    assert [line.split()[-1] for line in shell.ran] == ["dokku.apps"]

"""The properties of an app's networks: what they may be, and what counts."""

import os
import shlex

import hypothesis
import hypothesis.strategies as st
import pytest

from lib.app import network_settings, options
from lib.base import log, properties, settings
from lib.base.errors import DokkuError
from lib.base.report import as_json, as_text

APP, OTHER = "blog", "wiki"
GLOBAL = properties.GLOBAL
OF_APPS = "Invalid network name specified, dokku.app.* are apps' own networks: dokku.app.wiki"


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    for app in (APP, OTHER):
        os.makedirs(settings.app_dir(app))
    with log.collected() as lines:
        yield lines


def put(owner, key, *words):
    network_settings.set_(owner, key, words)


def stored(owner, key):
    return properties.get(network_settings.STORE, owner, key)


def test_several_networks_are_kept_as_one_value(said):
    put(APP, "attach-post-create", "front", "back")
    assert stored(APP, "attach-post-create") == "front,back"
    assert network_settings.attached(APP, "attach-post-create") == ["front", "back"]
    put(APP, "attach-post-create", "front,back,", "front")
    assert network_settings.attached(APP, "attach-post-create") == ["front", "back"]
    put(APP, "attach-post-create")
    assert network_settings.attached(APP, "attach-post-create") == []
    texts = [line.decode() for _, line in said]
    assert texts[0] == "=====> Setting attach-post-create to front,back\n"
    assert texts[-1] == "=====> Unsetting attach-post-create\n"


def test_an_apps_own_value_counts_before_the_global_one():
    put(GLOBAL, "attach-post-deploy", "everybodys")
    assert network_settings.attached(APP, "attach-post-deploy") == ["everybodys"]
    put(APP, "attach-post-deploy", "own")
    assert network_settings.attached(APP, "attach-post-deploy") == ["own"]
    assert network_settings.attached(OTHER, "attach-post-deploy") == ["everybodys"]


def test_ports_stay_inside_unless_somebody_says_otherwise():
    assert network_settings.effective(APP, "bind-all-interfaces") == "false"
    put(GLOBAL, "bind-all-interfaces", "true")
    assert network_settings.effective(APP, "bind-all-interfaces") == "true"
    put(APP, "bind-all-interfaces", "false")
    assert network_settings.effective(APP, "bind-all-interfaces") == "false"


def test_a_new_app_binds_nothing_unless_all_do():
    network_settings.set_up(APP)
    assert stored(APP, "bind-all-interfaces") == "false"
    put(GLOBAL, "bind-all-interfaces", "true")
    network_settings.set_up(OTHER)
    assert network_settings.effective(OTHER, "bind-all-interfaces") == "true"


@pytest.mark.parametrize(
    ("owner", "key", "words", "refusal"),
    [
        (APP, "", [], "No property specified"),
        (
            APP,
            "color",
            ["red"],
            "Invalid property specified, valid properties include: attach-post-create, attach-post-deploy, "
            "bind-all-interfaces, initial-network, static-web-listener, tld",
        ),
        (GLOBAL, "static-web-listener", ["10.0.0.1:80"], "Property cannot be specified globally"),
        ("nope", "tld", ["test"], "App nope does not exist"),
        (APP, "attach-post-create", ["host"], "Invalid network name specified for attach: host"),
        (APP, "attach-post-deploy", ["ok", "bridge"], "Invalid network name specified for attach: bridge"),
        (APP, "attach-post-create", ["--driver=x"], "Invalid network name specified: --driver=x"),
        (APP, "attach-post-create", ["a/b"], "Invalid network name specified: a/b"),
        (APP, "initial-network", ["container:x"], "Invalid network name specified: container:x"),
        (APP, "initial-network", ["dokku.app.wiki"], OF_APPS),
        (APP, "attach-post-deploy", ["dokku.app.wiki"], OF_APPS),
        (APP, "initial-network", ["a", "b"], "Invalid value for initial-network, it must be one word"),
        (
            APP,
            "bind-all-interfaces",
            ["yes"],
            "Invalid value for bind-all-interfaces, it must be true or false",
        ),
        (APP, "tld", [".local"], "Invalid value for tld, it must be a domain: .local"),
        (APP, "tld", ["*.local"], r"Invalid value for tld, it must be a domain: *.local"),
        (APP, "tld", ["--x"], "Invalid value for tld, it must be a domain: --x"),
        (
            APP,
            "static-web-listener",
            ["web:80"],
            "Invalid value for static-web-listener, it must be IP[:PORT]: web:80",
        ),
        (
            APP,
            "static-web-listener",
            ["0.0.0.0:80"],
            "Invalid value for static-web-listener, it must be IP[:PORT]: 0.0.0.0:80",
        ),
        (
            APP,
            "static-web-listener",
            ["10.0.0.1:80", "10.0.0.2:81"],
            "Invalid value for static-web-listener, all of it must be at one port: the port map's",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_set(owner, key, words, refusal):
    with pytest.raises(DokkuError) as error:
        put(owner, key, *words)
    assert error.value.text == refusal
    assert properties.get_all(network_settings.STORE, APP) == {}
    assert properties.get_all(network_settings.STORE, GLOBAL) == {}


def test_no_network_is_attached_twice():
    put(APP, "attach-post-create", "shared")
    with pytest.raises(DokkuError, match="Network name already associated with this app: shared"):
        put(APP, "attach-post-deploy", "other", "shared")
    put(GLOBAL, "attach-post-deploy", "general")
    with pytest.raises(DokkuError, match="already associated with this app: general"):
        put(APP, "attach-post-create", "general")


@hypothesis.given(st.text(max_size=30))
@hypothesis.settings(max_examples=80)
def test_no_word_becomes_an_option_of_docker(word):
    """RUN-2, NAME-14: Whatever is on disk, it is one word of a flag that we chose."""
    properties.write(network_settings.STORE, APP, "initial-network", word.replace("\ud800", ""))
    flags = [part for flag in network_settings.flags(APP, "run") for part in shlex.split(flag)]
    assert len(flags) <= 1
    assert all(flag.startswith("--network=") for flag in flags)


@hypothesis.given(st.text(min_size=1, max_size=20))
@hypothesis.settings(max_examples=80)
def test_a_name_that_passes_is_no_option(word):
    try:
        network_settings.verify_name(word)
    except DokkuError:
        return
    assert not word.startswith("-")
    assert shlex.quote(word) == word


def test_deployed_containers_are_found_by_name_on_their_first_network():
    put(APP, "initial-network", "shared")
    put(APP, "tld", "svc.local")
    assert network_settings.flags(APP, "run") == ["--network=shared"]
    assert network_settings.flags(APP, "deploy", "web") == [
        "--network=shared",
        "--network-alias=blog.web.svc.local",
    ]
    put(APP, "initial-network", "host")
    assert network_settings.flags(APP, "deploy", "web") == ["--network=host"]


@pytest.mark.parametrize("line", ["--network=host", "--net host", "--network own", "-e A=b --network=own"])
def test_an_apps_docker_option_counts_before_the_first_network(line):
    put(GLOBAL, "initial-network", "shared")
    options.add(APP, ["deploy"], line)
    assert network_settings.flags(APP, "deploy", "web") == []
    assert network_settings.flags(APP, "run") == ["--network=shared"]
    options.add(OTHER, ["deploy"], line, "web")
    assert network_settings.flags(OTHER, "deploy", "web") == []
    assert network_settings.flags(OTHER, "deploy", "worker") != []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.0.0.1:8080", [("10.0.0.1", "8080")]),
        ("10.0.0.1 10.0.0.2", [("10.0.0.1", ""), ("10.0.0.2", "")]),
        ("[::1]:80,fe80::2", [("::1", "80"), ("fe80::2", "")]),
        ("10.0.0.1:99999,host:80,224.0.0.1,1.2.3", []),
    ],
)
def test_static_listeners_are_read_and_what_is_none_is_left_out(text, found):
    properties.write(network_settings.STORE, APP, "static-web-listener", text)
    assert network_settings.listeners(APP) == found


def test_the_text_has_the_rows_of_0_24_and_json_the_later_ones():
    put(APP, "attach-post-create", "front")
    put(GLOBAL, "tld", "local")
    rows = network_settings.rows(APP, ["10.0.0.1:5000"])
    assert as_text(rows, "go") == [
        "       Network attach post create:    front",
        "       Network attach post deploy:    ",
        "       Network bind all interfaces:   false",
        "       Network web listeners:         10.0.0.1:5000",
    ]
    shown = as_json(rows, "network-")
    for part in (
        '"computed-tld":"local"',
        '"tld":""',
        '"network-global-tld":"local"',
        '"static-web-listener":""',
    ):
        assert part in shown


def test_the_global_report_names_what_counts_for_all():
    put(GLOBAL, "bind-all-interfaces", "true")
    found = {row.flag: row.value for row in network_settings.global_rows()}
    assert found["--network-global-bind-all-interfaces"] == "true"
    assert found["--network-computed-attach-post-create"] == ""
    assert "--network-tld" not in found

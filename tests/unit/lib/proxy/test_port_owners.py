from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.app import config, port_maps
from lib.app.port_maps import PortMap
from lib.base import properties
from lib.proxy import extra_ports, port_owners
from lib.proxy.port_owners import Listening
from tests.unit.lib.proxy.conftest import Host
from tests.unit.lib.proxy.test_haproxy_fronts import front, put

PLAIN = Listening("ant", {3000: "plain"}, {"ant.com"})
NAMELESS = Listening("bee", {4711: "plain"}, ())


def refused(
    *entries: str,
    names: tuple[str, ...] = ("a.com",),
    others: tuple[Listening, ...] = (),
    general: str = "",
    proxy: str = "nginx",
) -> dict[str, str]:
    maps = [port_maps.parse(entry) for entry in entries]
    reasons = port_owners.refusals(maps, names, others, general, proxy)
    return {entry: why for entry, why in zip(entries, reasons, strict=True) if why}


def test_what_everybody_speaks_may_be_spoken(host: Host) -> None:
    assert refused("http:80:5000", "https:443:5000", "grpc:3001:1", "https:3002:1") == {}
    assert refused("grpcs:443:5000") == {}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("https:80:5000", "the host speaks HTTP at port 80"),
        ("grpc:80:5000", "the host speaks HTTP at port 80"),
        ("http:443:5000", "the host speaks TLS at port 443"),
        ("https:8080:5000", "the host speaks HTTP at port 8080"),
    ],
)
def test_the_hosts_ports_speak_what_they_do(host: Host, entry: str, reason: str) -> None:
    config.set_values(config.GLOBAL, {"DOKKU_PROXY_PORT": "8080"})
    assert refused(entry) == {entry: reason}


def test_what_another_app_speaks_at_a_port_stays(host: Host) -> None:
    assert refused("http:3000:1", others=(PLAIN,)) == {}
    assert refused("https:3000:1", others=(PLAIN,)) == {"https:3000:1": "ant speaks HTTP at port 3000"}
    assert refused("https:3001:1", others=(PLAIN,)) == {}


def test_one_port_leads_to_one_place(host: Host) -> None:
    again = "another entry is at port 3000 already"
    assert refused("grpc:3000:1", "http:3000:1") == {"http:3000:1": again}
    assert refused("http:3000:1", "http:3000:2") == {"http:3000:2": again}


def test_an_app_without_domains_has_its_port_alone(host: Host) -> None:
    assert refused("http:4711:1", others=(NAMELESS,)) == {
        "http:4711:1": "bee has no domains and answers to every name at port 4711"
    }
    assert refused("http:4711:1", names=(), others=(NAMELESS,)) != {}
    assert refused("http:3000:1", names=(), others=(PLAIN,)) == {
        "http:3000:1": "ant is at port 3000 too, and there are no domains to tell them apart"
    }
    assert refused("http:4712:1", names=(), others=(PLAIN, NAMELESS)) == {}


def test_one_app_without_domains_has_the_hosts_name(host: Host) -> None:
    first = Listening("ant", {80: "plain"}, {"dokku.me"})
    assert refused("http:80:1", names=("dokku.me",), general="dokku.me", others=(first,)) == {
        "http:80:1": "ant answers to dokku.me at port 80"
    }
    other = Listening("ant", {80: "plain"}, {"ant.com"})
    assert refused("http:80:1", names=("dokku.me",), general="dokku.me", others=(other,)) == {}


def test_what_apps_have_is_what_their_files_say(host: Host) -> None:
    (host.app("ant") / "nginx.conf").write_text(
        "server {\n  listen 80;\n  listen [::]:443 ssl http2;\n  server_name a.com *.b.com;\n}\n"
    )
    (host.app("bee") / "nginx.conf").write_text("server {\n  listen 4711;\n}\n")
    Path(host.app("cat"))
    there = [
        Listening("ant", {80: "plain", 443: "tls"}, {"a.com", "*.b.com"}),
        Listening("bee", {4711: "plain"}, set()),
    ]
    assert port_owners.present() == there
    assert [port_owners.elsewhere(app, "haproxy") for app in ("ant", "bee", "cat")] == [*there, None]


def test_what_haproxy_has_is_what_its_record_says_and_its_own_port(host: Host) -> None:
    assert port_owners.present() == []
    properties.write("haproxy", properties.GLOBAL, "started", "true")
    own = Listening("", {8080: "plain"}, (), "haproxy")
    assert port_owners.present() == [own]
    properties.delete("haproxy", properties.GLOBAL, "started")
    put(front("ant", "10.0.0.2"))
    ant = Listening("ant", {8080: "plain"}, ["ant.test"], "haproxy")
    assert port_owners.present() == [ant, own]
    assert [port_owners.elsewhere(app, "nginx") for app in ("ant", "bee")] == [ant, None]


def test_a_port_of_one_proxy_is_none_for_the_other(host: Host) -> None:
    other = Listening("ant", {3000: "plain", 8080: "plain"}, {"ant.com"}, "haproxy")
    own = Listening("", {8080: "plain"}, (), "haproxy")
    assert refused("http:3000:1", "http:80:1", others=(other,)) == {
        "http:3000:1": "haproxy is at port 3000 for ant"
    }
    assert refused("http:8080:1", others=(own,)) == {"http:8080:1": "haproxy is at port 8080"}
    assert refused("http:3000:1", others=(PLAIN,), proxy="haproxy") == {
        "http:3000:1": "nginx is at port 3000 for ant"
    }


def test_all_apps_port_of_both_proxies_is_peoples_own_choice(host: Host) -> None:
    properties.write("haproxy", properties.GLOBAL, "http-port", "80")
    other = Listening("ant", {80: "plain"}, {"ant.com"})
    assert refused("http:80:1", others=(other,), proxy="haproxy") == {}
    assert refused("http:80:1", others=(other._replace(proxy="haproxy"),)) == {}


def test_haproxys_own_ports_speak_what_they_do(host: Host) -> None:
    assert refused("https:8080:1", "http:8443:1", "http:80:1", proxy="haproxy") == {
        "https:8080:1": "haproxy speaks HTTP at port 8080",
        "http:8443:1": "haproxy speaks TLS at port 8443",
    }


SCHEMES, PORTS = st.sampled_from(sorted(port_maps.SCHEMES)), st.sampled_from([80, 443, 3000, 3001])
APPS = st.lists(
    st.tuples(st.lists(st.builds(PortMap, SCHEMES, PORTS, st.just(1))), st.booleans()), max_size=6
)


@given(APPS)
def test_whoever_comes_in_whatever_order_a_port_is_unambiguous(
    wanted: list[tuple[list[PortMap], bool]],
) -> None:
    there: list[Listening] = []
    for number, (entries, has_names) in enumerate(wanted):
        names = [f"{number}.com"] if has_names else []
        own = not has_names and any(entry.host in extra_ports.own() for entry in entries)
        names = ["dokku.me"] if own else names
        bad = port_owners.refusals(entries, names, there, "dokku.me" if own else "")
        kept = [entry for entry, reason in zip(entries, bad, strict=True) if not reason]
        ports = {entry.host: port_owners.protocol(entry) for entry in kept}
        there.append(Listening(str(number), ports, names))
    for port in (80, 443, 3000, 3001):
        here = [app for app in there if port in app.ports]
        assert len({app.ports[port] for app in here}) <= 1
        assert len(here) <= 1 or all(app.names for app in here)
        names = [name for app in here for name in app.names]
        assert len(names) == len(set(names))

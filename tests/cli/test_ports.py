import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cli.conftest import TREE, Dokku


@pytest.mark.parametrize(
    ("list_", "add", "set_", "remove", "clear"),
    [
        ("proxy:ports", "proxy:ports-add", "proxy:ports-set", "proxy:ports-remove", "proxy:ports-clear"),
        ("ports:list", "ports:add", "ports:set", "ports:remove", "ports:clear"),
    ],
)
def test_port_maps_under_both_names(
    dokku: Dokku, list_: str, add: str, set_: str, remove: str, clear: str
) -> None:
    dokku.make_app("web")

    def words() -> list[str]:
        return dokku("--quiet", list_, "web").out.split()

    nothing = dokku(list_, "web")
    assert (nothing.code, nothing.out) == (1, "")
    assert nothing.err == " !     No port mappings configured for app\n"
    done = dokku(set_, "web", "http:1234:5001", "http:8080:5002", "https:8443:5003")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert words() == ["http", "1234", "5001", "http", "8080", "5002", "https", "8443", "5003"]
    assert dokku(add, "web", "http:81:5000").code == 0
    assert dokku(remove, "web", "81", "http:8080:5002", "8443").code == 0
    assert words() == ["http", "1234", "5001"]
    assert dokku(clear, "web").code == 0
    assert words() == ["http", "80", "5000"]


def test_the_heading_is_there_unless_quiet(dokku: Dokku) -> None:
    dokku.make_app("web")
    dokku("ports:set", "web", "http:80:5000")
    assert dokku("proxy:ports", "web").out.splitlines()[0] == "-----> Port mappings for web"
    assert "->" not in dokku("proxy:ports", "web", "--quiet").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "No port mapping specified"),
        (("http:80",), "Invalid port map http:80 [len=2]"),
        (("http:0:1",), "Invalid port map http:0:1 [hostPort=0]"),
        (
            ("http:1:5", "http:1:6"),
            "Error validating new port mappings: The same scheme:host-port is being reused: http:1",
        ),
    ],
)
def test_bad_maps_are_refused(dokku: Dokku, words: tuple[str, ...], said: str) -> None:
    dokku.make_app("web")
    refused = dokku("ports:add", "web", *words)
    assert (refused.code, refused.out, refused.err) == (1, "", f" !     {said}\n")
    assert dokku("ports:list", "web").code == 1


def test_the_report_is_read_by_clients_of_both_ages(dokku: Dokku) -> None:
    dokku.make_app("web")
    dokku("ports:set", "web", "http:80:5000", "https:443:5000")
    assert (
        "       Proxy port map:                http:80:5000 https:443:5000\n"
        in dokku("proxy:report", "web").out
    )
    assert dokku("ports:report", "web", "--ports-map").out == "http:80:5000 https:443:5000\n"
    found = json.loads(dokku("ports:report", "web", "--format", "json").out)
    assert found["map"] == found["ports-map"] == "http:80:5000 https:443:5000"
    assert json.loads(found["map-json"])[1] == {"scheme": "https", "host_port": 443, "container_port": 5000}


def test_plugins_hear_of_every_change(dokku: Dokku) -> None:
    dokku.make_app("web")
    notes = dokku.root.parent / "notes"
    dokku.plugin("zz-listener", post_proxy_ports_update=f'#!/bin/sh\necho "$@" >>{notes}\n')
    for words in (("set", "http:1:1"), ("add", "http:2:2"), ("remove", "1"), ("clear",)):
        dokku(f"ports:{words[0]}", "web", *words[1:])
    assert notes.read_text().split() == ["web", "set", "web", "add", "web", "remove", "web", "clear"]


def test_no_map_is_lost_among_twenty_at_once(dokku: Dokku) -> None:
    dokku.make_app("web")
    dokku("ports:set", "web", "http:80:5000")
    with ThreadPoolExecutor(max_workers=10) as pool:
        codes = [
            done.code
            for done in pool.map(lambda n: dokku("ports:add", "web", f"http:{n}:1"), range(1000, 1020))
        ]
    assert codes == [0] * 20
    assert len(dokku("--quiet", "ports:list", "web").out.splitlines()) == 21


def test_programs_get_the_map_as_json(dokku: Dokku) -> None:
    dokku.make_app("web")
    assert dokku("ports:list", "web", "--format", "json") == ("[]\n", "", 0)
    dokku("ports:set", "web", "http:80:5000", "https:443:5000")
    assert json.loads(dokku("ports:list", "--format=json", "web").out)[0] == {
        "scheme": "http",
        "host_port": 80,
        "container_port": 5000,
    }
    refused = dokku("ports:list", "web", "--format", "yaml")
    assert (refused.code, refused.out) == (1, "")


def test_plugins_ask_for_ports_and_set_them(dokku: Dokku) -> None:
    app = dokku.make_app("web")
    dokku.plugin(
        "asker", commands='#!/bin/sh\n[ "$1" = ask ] || exit 10\nshift; exec "$PLUGN" trigger "$@"\n'
    )

    def ask(*words: str) -> str:
        done = dokku("ask", *words, env={"PLUGN": str(TREE / "bin/plugn")})
        assert (done.code, done.err) == (0, ""), done
        return done.out

    assert ask("ports-get", "web") == "http:80:5000\n"
    ask("ports-set-detected", "web", "http:80:8080", "grpc:9000:9001")
    assert ask("ports-get", "web") == "grpc:9000:9001\nhttp:80:8080\n"
    assert ask("ports-get-property", "web", "map-detected") == "grpc:9000:9001 http:80:8080\n"
    dokku("ports:set", "web", "http:81:5000")
    assert json.loads(ask("ports-get", "web", "json")) == [
        {"scheme": "http", "host_port": 81, "container_port": 5000}
    ]
    ask("ports-clear", "web")
    ask("ports-set-detected", "web")
    assert ask("ports-get", "web") == "http:80:5000\n"
    (app / "tls").mkdir()
    for name in ("server.crt", "server.key"):
        (app / "tls" / name).write_text("pem")
    dokku("ports:set", "web", "http:80:3000")
    ask("post-certs-update", "web")
    assert ask("ports-get", "web") == "http:80:3000\nhttps:443:3000\n"
    ask("post-certs-remove", "web")
    assert ask("ports-get", "web") == "http:80:3000\n"
    assert 1024 < int(ask("ports-get-available")) < 65536
    dokku("config:set", "--no-restart", "web", "NO_VHOST=1")
    ask("ports-clear", "web")
    assert ask("ports-get", "web") == ask("ports-get-property", "web", "proxy-port").strip() == ""
    ask("ports-configure", "web")
    assert ask("ports-get-property", "web", "proxy-port") == ask("ports-get", "web").split(":")[1] + "\n"


def test_the_map_in_effect_is_among_the_config_where_0_24_kept_it(dokku: Dokku) -> None:
    dokku.make_app("blog")
    assert "DOKKU_PROXY_PORT" not in dokku("config:keys", "blog").out
    detected = dokku.lib / "config/ports/blog/map-detected"
    detected.parent.mkdir(parents=True, exist_ok=True)
    detected.write_text("http:80:5000\n")
    (dokku.root / "blog/VHOST").write_text("blog.test\n")
    dokku("config:unset", "--no-restart", "blog", "NO_VHOST")
    assert dokku("config:export", "blog").out.splitlines() == [
        "export DOKKU_PROXY_PORT='80'",
        "export DOKKU_PROXY_PORT_MAP='http:80:5000'",
    ]
    assert dokku("config:get", "blog", "DOKKU_PROXY_PORT_MAP").out == "http:80:5000\n"
    assert not (dokku.root / "blog/ENV").exists()

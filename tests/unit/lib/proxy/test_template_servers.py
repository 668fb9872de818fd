"""What an app's own template may have nginx do, as others are served by the same nginx."""

import pytest

from lib.app import config
from lib.base import properties
from lib.base.errors import DokkuError
from lib.proxy import template_servers, vhosts
from lib.proxy.conf_notes import Listen, Note
from lib.proxy.port_owners import Listening
from lib.proxy.sites import Site
from tests.unit.lib.proxy.conftest import Host

SITE = Site("web", ["web.com"], [], ["10.0.0.2"])
NAMELESS = Listening("box", {9000: "plain"}, ())
SECURE = Listening("bee", {8443: "tls"}, {"bee.com"})


def judged(text: str, *neighbours: Listening) -> Note:
    return template_servers.judged(text, SITE, lambda: list(neighbours))


def server(text: str) -> str:
    return f"server {{\n  {text}\n}}\n"


def test_what_the_servers_say_is_noted(host: Host) -> None:
    text = server("listen 80; listen [::]:443 ssl http2; server_name web.com 'Www.Web.com' .a.org _;")
    assert judged(text + server("listen *:3000 http2; location / { deny all; }")) == Note(
        ["10.0.0.2"],
        ["web.com", "www.web.com", "a.org", "*.a.org", "_"],
        [Listen("", 80, "plain"), Listen("", 443, "tls"), Listen("", 3000, "http2")],
    )


def test_a_directive_of_the_server_says_what_is_spoken(host: Host) -> None:
    assert judged(server("http2 on; listen 3000;")).listens == [Listen("", 3000, "http2")]
    assert judged(server("listen 80; http2 on;")).listens == [Listen("", 80, "plain")]
    assert judged(server("listen 3000; ssl on;")).listens == [Listen("", 3000, "tls")]
    assert judged(server("listen 3000; location / { gzip on; }")).listens == [Listen("", 3000, "plain")]


@pytest.mark.parametrize(
    "text",
    [
        "upstream web-5000 { server 10.0.0.2:5000; }",
        "upstream backend { server 10.0.0.2:5000; }",
        "map $http_upgrade $connection { default upgrade; '' close; }",
        "limit_req_zone $binary_remote_addr zone=web:10m rate=5r/s;",
        "proxy_cache_path /var/cache/nginx/web keys_zone=web:10m;",
        "log_format web '$host';",
        "geo $inside { default 0; 10.0.0.0/8 1; }",
    ],
)
def test_what_is_the_apps_alone_may_stand_beside_its_servers(host: Host, text: str) -> None:
    assert judged(f"{text}\n{server('listen 80;')}").listens == [Listen("", 80, "plain")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "\ndeny all;",
            "line 2: deny is only allowed in a server: it would count",
        ),
        ("include /etc/nginx/mime.types;", "include is only allowed in a server"),
        ("client_max_body_size 1k;", "client_max_body_size is only allowed in a server: it would count for"),
        ("upstream bee-5000 {}", "upstream bee-5000 is not allowed: it is one of app bee"),
        (
            server("content_by_lua_block { }"),
            "line 2: content_by_lua_block can't be read, use content_by_lua_file",
        ),
        (
            server("listen 80 proxy_protocol;"),
            "line 2: listen 80 proxy_protocol is",
        ),
        (server("listen 80 default_server;"), "listen 80 default_server is not allowed"),
        (server("listen 80 http2;"), "listen 80 is not allowed: the host speaks HTTP at port 80"),
        (server("listen 80 ssl;"), "listen 80 is not allowed: the host speaks HTTP at port 80"),
        (server("listen 443;"), "listen 443 is not allowed: the host speaks TLS at port 443"),
        (
            server("listen 10.9.9.9:80;"),
            "listen 10.9.9.9:80 is not allowed: web is not bound to that address",
        ),
        (server("listen [::1]:80;"), "listen [::1]:80 is not allowed: web is not bound to that address"),
        (server("listen 10.9.9.9;"), "listen 10.9.9.9 is not allowed: web is not bound to that address"),
        (server("listen localhost:80;"), "listen localhost:80 is not allowed"),
        (server("listen 80-90;"), "listen 80-90 is not allowed"),
        (server("listen;"), "listen  is not allowed"),
        (
            server("listen 9000; server_name web.com;"),
            "box has no domains and answers to every name at",
        ),
        (
            server("listen 8443; server_name web.com;"),
            "listen 8443 is not allowed: bee speaks TLS at port 8443",
        ),
        (server("listen 8443 ssl;"), "there are no domains to tell them apart"),
        ("server { listen 80; } }", "line 1: unexpected }"),
    ],
)
def test_what_would_change_what_others_visitors_get_is_refused(host: Host, text: str, said: str) -> None:
    with pytest.raises(DokkuError) as caught:
        judged(text, NAMELESS, SECURE)
    assert said in caught.value.text


def test_an_address_that_the_app_binds_may_be_listened_at(host: Host) -> None:
    properties.write("nginx", "web", "bind-address-ipv4", "10.9.9.9")
    properties.write("nginx", "web", "bind-address-ipv6", "::1")
    text = server("listen 10.9.9.9:80; listen [::1]:80;")
    assert [str(one) for one in judged(text).listens] == ["10.9.9.9:80/plain", "[::1]:80/plain"]


def test_a_name_of_another_app_is_refused(host: Host) -> None:
    host.app("bee", "10.0.0.3", domains="bee.com")
    vhosts.build(["bee"])
    with pytest.raises(DokkuError, match=r"^line 3: server_name bee.com belongs to bee$"):
        judged(server("server_name a.com; # ;\n server_name x.com bee.com;"))


def test_two_templates_do_not_share_a_name(host: Host) -> None:
    host.app("ant", "10.0.0.3", domains="ant.com")
    (host.app("bee", "10.0.0.4", domains="bee.com") / "nginx.conf").write_text(
        "server {}\n# leads to 10.0.0.4\n# serves shop.com\n# listens at 80/plain\n"
    )
    with pytest.raises(DokkuError, match=r"server_name shop\.com belongs to bee"):
        judged(server("server_name shop.com;"))


def test_a_host_with_other_ports_than_the_usual_ones_counts(host: Host) -> None:
    config.set_values(config.GLOBAL, {"DOKKU_PROXY_PORT": "8080"})
    with pytest.raises(DokkuError, match="the host speaks HTTP at port 8080"):
        judged(server("listen 8080 ssl;"))

"""What an app's own template may have nginx do, as others are served by the same nginx."""

import pytest

from lib.app import config
from lib.app.port_maps import PortMap
from lib.base import properties
from lib.base.errors import DokkuError
from lib.proxy import template_servers, vhosts
from lib.proxy.conf_notes import Listen, Note
from lib.proxy.port_owners import Listening
from lib.proxy.sites import Site
from lib.tools import nginx_syntax
from tests.unit.lib.proxy.conftest import Host

ENTRIES = [PortMap("http", port, 5000) for port in (3000, 8080, 8443, 9000)]
SITE = Site("web", ["web.com", "a.org", "*.a.org", "x.com"], ENTRIES, ["10.0.0.2"])
NAMELESS = Listening("box", {9000: "plain"}, ())
SECURE = Listening("bee", {8443: "tls"}, {"bee.com"})


def judged(text: str, *neighbours: Listening) -> Note:
    return template_servers.judged(nginx_syntax.read(text), SITE, lambda: list(neighbours))


def server(text: str) -> str:
    return f"server {{\n  {text}\n}}\n"


def test_what_the_servers_say_is_noted(host: Host) -> None:
    text = server("listen 80; listen [::]:443 ssl http2; server_name web.com 'X.Com' .a.org _;")
    assert judged(text + server("listen *:3000 http2; location / { deny all; }")) == Note(
        ["10.0.0.2"],
        ["web.com", "x.com", "a.org", "*.a.org"],
        [Listen("", 80, "plain"), Listen("", 443, "tls"), Listen("", 3000, "http2")],
    )


def test_a_directive_of_the_server_says_what_is_spoken(host: Host) -> None:
    assert judged(server("http2 on; listen 3000;")).listens == [Listen("", 3000, "http2")]
    assert judged(server("listen 80; http2 on;")).listens == [Listen("", 80, "plain")]
    assert judged(server("listen 3000; ssl on;")).listens == [Listen("", 3000, "tls")]
    assert judged(server("listen 3000; location / { gzip on; }")).listens == [Listen("", 3000, "plain")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            server("listen 80 proxy_protocol;"),
            "line 2: listen 80 proxy_protocol is not allowed: proxy_protocol would count for all apps",
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
        (server("listen 22;"), "22 is no port of web; add it with: dokku proxy:ports-add web http:22:5000"),
        (server("listen [::]:80 ipv6only=off;"), "ipv6only=off would count for all apps"),
        (server("listen localhost:80;"), "listen localhost:80 is not allowed"),
        (server("listen 80-90;"), "listen 80-90 is not allowed"),
        (server("listen;"), "listen is not allowed: it needs a port"),
        (
            server("listen 9000; server_name web.com;"),
            "box has no domains and answers to every name at",
        ),
        (
            server("listen 8443; server_name web.com;"),
            "listen 8443 is not allowed: bee speaks TLS at port 8443",
        ),
        (server("listen 8443 ssl;"), "there are no domains to tell them apart"),
        (
            server("server_name other.com;"),
            "line 2: server_name other.com is not allowed: other.com is no domain",
        ),
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
        judged(server("server_name web.com; # ;\n server_name x.com bee.com;"))


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


def test_one_that_is_trusted_may_have_names_of_nobody(host: Host) -> None:
    host.app("bee", "10.0.0.3", domains="bee.com")
    vhosts.build(["bee"])
    tree = nginx_syntax.read(server("listen unix:/run/x; listen 10.1.1.1:81; server_name new.com;"))
    assert template_servers.noted(tree, SITE) == Note(
        ["10.0.0.2"], ["new.com"], [Listen("10.1.1.1", 81, "plain")]
    )
    with pytest.raises(DokkuError, match=r"^line 2: server_name bee\.com belongs to bee$"):
        template_servers.noted(nginx_syntax.read(server("server_name bee.com;")), SITE)


def test_a_server_without_names_or_port_gets_those_of_the_app(host: Host) -> None:
    config.set_values(config.GLOBAL, {"DOKKU_PROXY_PORT": "8080"})
    tree = nginx_syntax.read(
        "map a b {} server { listen [::]:80; listen 80 ipv6only=on; } server { server_name x.com; }"
    )
    found = nginx_syntax.write(template_servers.completed(tree, SITE, has_ipv6=False))
    assert found == (
        "map a b {\n}\nserver {\n  listen 80;\n  server_name web.com a.org *.a.org x.com;\n}\n"
        "server {\n  listen 8080;\n  server_name x.com;\n}\n"
    )
    nameless = SITE._replace(names=[])
    assert "server_name x.com;" in nginx_syntax.write(
        template_servers.completed(tree, nameless, has_ipv6=True)
    )
    assert "server_name web" not in nginx_syntax.write(
        template_servers.completed(tree, nameless, has_ipv6=True)
    )

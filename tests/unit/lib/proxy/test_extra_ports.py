from pathlib import Path

import pytest

from lib.app import config
from lib.base import properties
from lib.base.errors import AppsFailed
from lib.proxy import extra_ports, vhosts
from tests.unit.lib.proxy.conftest import Host


def servers() -> str:
    path = Path(extra_ports.path())
    return path.read_text() if path.exists() else ""


def test_the_hosts_own_ports_are_left_to_its_own_default_server(host: Host) -> None:
    host.app("web", "10.0.0.2")
    vhosts.build(["web"])
    assert servers() == ""


def test_an_extra_port_gets_a_default_server(host: Host) -> None:
    host.app("web", "10.0.0.2")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:3000:5000"})
    vhosts.build(["web"])
    assert servers().startswith("# 3000/plain\nserver {\n  listen 3000 default_server;\n")
    assert "return 444;" in servers()
    vhosts.clear(["web"])
    assert "server" not in servers()


def test_very_many_ports_stand_in_lines_that_nginx_takes(host: Host) -> None:
    host.app("web", "10.0.0.2")
    entries = [f"http:{port}:5000" for port in range(20000, 20500)]
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": " ".join(entries)})
    vhosts.build(["web"])
    before = servers()
    assert before.count("return 444;") == 500
    assert max(map(len, before.splitlines())) < 4096
    Path(extra_ports.path()).write_text(before + "# as it was\n")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": " ".join(reversed(entries))})
    vhosts.build(["web"])
    assert servers() == before + "# as it was\n"


def test_a_tls_port_shows_no_certificate_to_strangers(host: Host) -> None:
    directory = host.app("web", "10.0.0.2")
    (directory / "tls").mkdir()
    for name in ("server.crt", "server.key"):
        (directory / "tls" / name).write_text("pem")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "https:8443:5000"})
    vhosts.build(["web"])
    assert "listen 8443 ssl default_server;" in servers()
    assert "ssl_reject_handshake on;" in servers()


def test_the_port_of_an_app_without_domains_stays_open_to_all_names(host: Host) -> None:
    host.app("web", "10.0.0.2")
    config.set_values("web", {"NO_VHOST": "1", "DOKKU_PROXY_PORT": "4711"})
    vhosts.build(["web"])
    assert servers() == ""


def test_a_port_where_the_administrator_has_a_default_server_is_left_alone(host: Host) -> None:
    host.app("web", "10.0.0.2")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:3000:5000 http:4000:5000"})
    host.refused.append("listen 3000 default_server")
    vhosts.build(["web"])
    assert "listen 3000 default_server" not in servers()
    assert "listen 4000 default_server" in servers()
    assert "3000" in host.in_force["web"]


def test_a_default_server_that_came_later_makes_ours_give_way(host: Host) -> None:
    host.app("web", "10.0.0.2")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:3000:5000"})
    vhosts.build(["web"])
    host.refused.append("listen 3000 default_server")
    host.app("other", "10.0.0.3")
    vhosts.build(["other"])
    assert "listen 3000" not in servers()
    assert "other" in host.in_force


def test_ports_and_protocols_are_read_from_a_file() -> None:
    text = "server {  listen      [::]:80;\n  listen 127.0.0.1:81 ssl http2;\n  listen  82 http2;\n}\n"
    assert extra_ports.listened(text) == {80: "plain", 81: "tls", 82: "http2"}


def test_a_server_block_says_of_itself_that_it_speaks_http2() -> None:
    separate = "server {\n  listen 82;\n  http2       on;\n}\n"
    plain = "server {\n  listen 83;\n  http2 off;\n}\n"
    secure = "server {\n  listen 84 ssl;\n  http2 on;\n}\n"
    found = extra_ports.listened(separate + plain + secure)
    assert found == {82: "http2", 83: "plain", 84: "tls"}


@pytest.mark.parametrize("version", ["1.22.1", "1.26.3"])
def test_two_apps_share_a_grpc_port_whatever_nginx_is_there(host: Host, version: str) -> None:
    host.answers("nginx -v", err=f"nginx version: nginx/{version}\n")
    for number, app in enumerate(("ant", "bee"), 2):
        host.app(app, f"10.0.0.{number}")
        config.set_values(app, {"DOKKU_PROXY_PORT_MAP": "grpc:3000:5000"})
        vhosts.build([app])
    assert all("grpc_pass" in host.in_force[app] for app in ("ant", "bee"))
    assert servers().startswith("# 3000/http2\n")


def test_a_port_changes_its_protocol_with_its_app(host: Host) -> None:
    """nginx refuses an app's file beside a default server that speaks otherwise."""
    host.app("web", "10.0.0.2")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:3000:5000"})
    vhosts.build(["web"])
    host.refused.append("listen 3000 default_server")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "grpc:3000:5000"})
    vhosts.build(["web"])
    assert servers().startswith("# 3000/http2\nserver {\n  listen 3000 http2 default_server;\n")
    assert "grpc_pass" in host.in_force["web"]


def test_a_change_of_protocol_that_nginx_refuses_leaves_the_default_server(host: Host) -> None:
    host.app("web", "10.0.0.2")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:3000:5000"})
    vhosts.build(["web"])
    before = servers()
    host.refused.append("grpc_pass")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "grpc:3000:5000"})
    with pytest.raises(AppsFailed):
        vhosts.build(["web"])
    assert servers() == before


def test_at_an_address_that_an_app_binds_nobody_is_answered_by_it_for_another(host: Host) -> None:
    host.app("web", "10.0.0.2")
    properties.write("nginx", "web", "bind-address-ipv4", "10.9.9.9")
    properties.write("nginx", "web", "bind-address-ipv6", "::1")
    vhosts.build(["web"])
    assert "  listen      10.9.9.9:80;\n" in host.in_force["web"]
    assert "server {\n  listen 10.9.9.9:80 default_server;\n  server_name _;\n" in servers()
    properties.delete("nginx", "web", "bind-address-ipv4")
    properties.delete("nginx", "web", "bind-address-ipv6")
    vhosts.build(["web"])
    assert "server" not in servers()

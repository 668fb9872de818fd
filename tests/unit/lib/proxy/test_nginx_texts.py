import re
from pathlib import Path

import pytest

from lib.app import config
from lib.base import properties
from lib.base.errors import DokkuError
from lib.proxy import nginx_texts
from tests.unit.lib.proxy.conftest import Host

Output = pytest.CaptureFixture[str]


def text(app: str) -> str:
    found = nginx_texts.texts([app])[app]
    assert found is not None
    return found


def directives(found: str, name: str) -> list[str]:
    return re.findall(rf"^ *{name} +(.*);$", found, re.MULTILINE)


def give_certificate(directory: Path) -> None:
    (directory / "tls").mkdir()
    for name in ("server.crt", "server.key"):
        (directory / "tls" / name).write_text("pem")


def test_an_app_is_served_at_both_addresses_of_the_host(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com b.com")
    Path("/proc/net").mkdir(parents=True, exist_ok=True)
    Path("/proc/net/if_inet6").write_text("00000000000000000000000000000001 01 80 10 80 lo\n")
    found = text("web")
    assert directives(found, "listen") == ["[::]:80", "80"]
    assert directives(found, "server_name") == ["a.com b.com"]
    assert directives(found, "proxy_pass") == ["http://web-5000"]


def test_a_host_without_ipv6_is_told_nothing_of_it(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    Path("/proc/net").mkdir(parents=True, exist_ok=True)
    Path("/proc/net/if_inet6").write_text("")
    assert directives(text("web"), "listen") == ["80"]


def test_without_listeners_it_answers_502_and_says_so(host: Host, capfd: Output) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    host.containers("web")[0]["State"]["Running"] = False
    found = text("web")
    assert directives(found, "return") == ["502"]
    assert "upstream" not in found
    assert capfd.readouterr().err == " !     No web listeners specified for web\n"


def test_several_containers_step_in_for_each_other(host: Host) -> None:
    host.app("one", "10.0.0.2", domains="a.com")
    host.app("two", "10.0.0.3", "10.0.0.4", domains="b.com")
    assert "proxy_next_upstream" not in text("one")
    assert directives(text("two"), "proxy_next_upstream") == ["error timeout"]


def test_a_certificate_gets_https_and_sends_people_there(host: Host) -> None:
    give_certificate(host.app("web", "10.0.0.2", domains="a.com"))
    found = text("web")
    assert [port for port in directives(found, "listen") if "[" not in port] == ["80", "443 ssl http2"]
    assert directives(found, "return") == ["301 https://$host:443$request_uri"]
    assert directives(found, "ssl_protocols") == ["TLSv1.2 TLSv1.3"]
    assert len(directives(found, "proxy_pass")) == 1


def test_a_newer_nginx_is_told_of_http2_in_its_own_way(host: Host) -> None:
    give_certificate(host.app("web", "10.0.0.2", domains="a.com"))
    host.answers("nginx -v", err="nginx version: nginx/1.28.0\n")
    found = text("web")
    assert "443 ssl" in directives(found, "listen")
    assert directives(found, "http2") == ["on"]


def test_grpc_is_passed_on_as_grpc(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "grpc:50051:50051"})
    found = text("web")
    assert directives(found, "grpc_pass") == ["grpc://web-50051"]
    assert "50051 http2" in directives(found, "listen")
    assert directives(found, "server") == ["10.0.0.2:50051"]


def test_an_app_without_domains_answers_to_every_name_at_its_own_port(host: Host) -> None:
    host.app("web", "10.0.0.2")
    config.set_values("web", {"NO_VHOST": "1", "DOKKU_PROXY_PORT": "4711"})
    found = text("web")
    assert "4711" in directives(found, "listen")
    assert directives(found, "server_name") == []


def test_an_app_without_domains_takes_only_the_hosts_name_at_everybodys_port(host: Host) -> None:
    host.app("web", "10.0.0.2")
    Path(config.path(config.GLOBAL)).with_name("HOSTNAME").write_text("host.example.com\n")
    config.set_values("web", {"NO_VHOST": "1", "DOKKU_PROXY_PORT_MAP": "http:80:5000"})
    assert directives(text("web"), "server_name") == ["host.example.com"]


@pytest.mark.parametrize("evil", ["a.com; } server { listen 81", "a{b}", "a.com\x00"])
def test_no_stored_line_gets_into_the_text(host: Host, evil: str) -> None:
    """NGX-1"""
    (host.app("web", "10.0.0.2") / "VHOST").write_text(f"good.com\n{evil}\n")
    assert directives(text("web"), "server_name") == ["good.com"]


@pytest.mark.parametrize("evil", ["60s; return 200", "1m; }", "60s\n", "on"])
def test_a_stored_property_that_is_not_of_its_kind_is_ignored(host: Host, capfd: Output, evil: str) -> None:
    """NGX-1"""
    host.app("web", "10.0.0.2", domains="a.com")
    properties.write("nginx", "web", "proxy-read-timeout", f"{evil}x")
    assert directives(text("web"), "proxy_read_timeout") == ["60s"]
    assert "Ignoring invalid value of nginx property proxy-read-timeout for web" in capfd.readouterr().err


def test_valid_properties_are_used(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    wanted = {
        "proxy-read-timeout": "45s",
        "proxy-buffer-size": "2k",
        "proxy-buffering": "off",
        "proxy-buffers": "64 4k",
        "proxy-busy-buffers-size": "10k",
        "client-max-body-size": "1m",
        "x-forwarded-for-value": "$http_x_forwarded_for",
        "x-forwarded-ssl": "on",
        "access-log-path": "off",
        "access-log-format": "json",
        "bind-address-ipv4": "127.0.0.1",
        "bind-address-ipv6": "::1",
    }
    for key, value in wanted.items():
        properties.write("nginx", "web", key, value)
    found = text("web")
    for key in ("proxy_read_timeout", "proxy_buffer_size", "proxy_buffering", "client_max_body_size"):
        assert directives(found, key) == [wanted[key.replace("_", "-")]]
    assert "proxy_set_header X-Forwarded-For $http_x_forwarded_for;" in found
    assert "proxy_set_header X-Forwarded-Ssl on;" in found
    assert directives(found, "access_log") == ["off"]
    assert "127.0.0.1:80" in directives(found, "listen")


LATER = {
    "client-body-timeout": ("client_body_timeout", "1s"),
    "client-header-timeout": ("client_header_timeout", "2s"),
    "keepalive-timeout": ("keepalive_timeout", "3s"),
    "lingering-timeout": ("lingering_timeout", "4s"),
    "send-timeout": ("send_timeout", "5s"),
    "underscore-in-headers": ("underscores_in_headers", "on"),
    "proxy-connect-timeout": ("proxy_connect_timeout", "6s"),
    "proxy-send-timeout": ("proxy_send_timeout", "7s"),
    "proxy-keepalive": ("keepalive", "8"),
}


ALWAYS = {"keepalive_timeout": ["70", "70"], "proxy_connect_timeout": ["5s"]}


def test_options_of_later_releases_are_written_only_when_set(host: Host) -> None:
    give_certificate(host.app("web", "10.0.0.2", domains="a.com"))
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "https:443:5000 grpcs:444:5000"})
    before = text("web")
    for key, (directive, value) in LATER.items():
        found = directives(before, directive)
        assert found == ALWAYS.get(directive, [])
        properties.write("nginx", "web", key, value)
    after = text("web")
    for directive, value in LATER.values():
        assert directives(after, directive) == [value] * (1 if "proxy" in directive or value == "8" else 2)
    assert directives(after, "grpc_connect_timeout") == ["6s"]
    assert directives(after, "grpc_send_timeout") == ["7s"]
    for key in LATER:
        properties.delete("nginx", "web", key)
    assert text("web") == before


@pytest.mark.parametrize("addresses", [["10.0.0.2"], ["10.0.0.2", "10.0.0.3"]])
def test_a_container_that_is_down_delays_an_answer_by_seconds_unless_told_otherwise(
    host: Host, addresses: list[str]
) -> None:
    """The kernel tries for over a minute to reach an address that has just gone."""
    host.app("web", *addresses, domains="a.com")
    assert directives(text("web"), "proxy_connect_timeout") == ["5s"]
    properties.write("nginx", "web", "proxy-connect-timeout", "6s")
    assert directives(text("web"), "proxy_connect_timeout") == ["6s"]


def test_a_header_of_several_words_is_one_value(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    properties.write("nginx", "web", "x-forwarded-for-value", "$http_x_forwarded_for, $remote_addr")
    assert 'proxy_set_header X-Forwarded-For "$http_x_forwarded_for, $remote_addr";' in text("web")


@pytest.mark.parametrize("path", ["/etc/cron.d/x", "/var/log/nginx/../../etc/x", "syslog:server=x", "x.log"])
def test_nginx_writes_logs_only_where_it_has_its_own(host: Host, path: str) -> None:
    """NGX-11"""
    host.app("web", "10.0.0.2", domains="a.com")
    properties.write("nginx", "web", "access-log-path", path)
    assert directives(text("web"), "access_log") == ["/var/log/nginx/web-access.log"]


def test_whatever_gets_to_the_renderer_can_end_no_directive(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NGX-1"""
    host.app("web", "10.0.0.2", domains="a.com")
    monkeypatch.setenv("DOKKU_NGINX_LOG_DIR", "/var/log/nginx; return 200")
    with pytest.raises(DokkuError, match="can't stand in an nginx configuration"):
        text("web")


def test_the_hosts_own_error_pages_are_shown_if_there_are_any(host: Host, tmp_path: Path) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    assert directives(text("web"), "error_page") == []
    pages = tmp_path / "lib/data/nginx-vhosts/dokku-errors"
    pages.mkdir(parents=True)
    for code in (400, 404, 500, 502):
        (pages / f"{code}-error.html").write_text("oops")
    assert f"alias {pages}/;" in text("web")


def test_the_accused_is_the_app_in_whose_directory_the_file_is(host: Host, tmp_path: Path) -> None:
    host.app("web")
    assert nginx_texts.accused(f"unknown directive in {tmp_path}/root/web/nginx.conf:3") == "web"
    assert nginx_texts.accused(f"unknown directive in {tmp_path}/root/gone/nginx.conf:3") == ""
    assert nginx_texts.accused("bind() to 0.0.0.0:80 failed") == ""


def test_what_a_file_speaks_of_is_not_accused_for_it(host: Host, tmp_path: Path) -> None:
    host.app("ant")
    host.app("web")
    at = f"in {tmp_path}/root/web/nginx.conf.d/a.conf:3"
    for said in (
        f'open() "{tmp_path}/root/ant/shared.conf" failed (2: No such file or directory) {at}',
        f'open() "{tmp_path}/root/gone/shared.conf" failed (2: No such file or directory) {at}',
        f'unknown directive "x in {tmp_path}/root/ant/nginx.conf:1" {at}',
    ):
        assert nginx_texts.accused(said) == "web"

"""What could change nginx's configuration is refused."""

from pathlib import Path

import pytest

from lib.app import domains, ports
from lib.base import settings
from lib.base.errors import DokkuError
from lib.proxy import nginx_options
from tests.unit.lib.proxy.conftest import Host

ENDS = ["; return 200 x", ";", " }", "\n}", " # x", "\0", " {", "$(id)"]
PLAIN = {
    "buffers": "8 4k",
    "count": "8",
    "upstreams": "a.com",
    "header": "$remote_addr",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "log": "/var/log/nginx/a.log",
    "name": "combined",
    "number": "1",
    "path": "a.sigil",
    "size": "1m",
    "switch": "on",
    "time": "60s",
    "truth": "true",
}
HARMLESS = {("header", " # x"), ("header", "$(id)")}  # words of one header's value
KEYS = [key for key, option in nginx_options.OPTIONS.items() if option.kind != "path"]  # nginx never sees it
PATHS = [
    "/etc/cron.d/x",
    "/var/log/nginx/../../etc/x",
    "/var/log/nginxx",
    "syslog:server=x",
    "x.log",
    "/dev/sda",
]
DOMAINS = [
    "a.com; }",
    "a b",
    "{a}",
    "$host",
    "~^(.*)$",
    "a.com#x",
    '"a"',
    "a..b",
    "-a.com",
    "a.com\n",
    "a" * 300,
]
MAPS = [
    "http:80;x:1",
    "http:80:5000;",
    "http:0:5000",
    "http:65536:1",
    "http:80:5000:1",
    "http:٨٠:1",
    "h}:80:1",
]


def state() -> dict[str, bytes]:
    places = (Path(settings.root()), Path(settings.lib()))
    return {str(path): path.read_bytes() for place in places for path in place.rglob("*") if path.is_file()}


@pytest.fixture
def app(host: Host) -> str:
    (host.app("web", "10.0.0.2", domains="a.com") / "nginx.conf").write_text("server {}\n")
    return "web"


@pytest.mark.parametrize("key", KEYS)
def test_an_option_that_could_end_its_directive_is_refused(app: str, key: str) -> None:
    """NAME-9, NGX-1"""
    kind, before = nginx_options.OPTIONS[key].kind, state()
    nginx_options.set_(app, key, PLAIN[kind])
    nginx_options.set_(app, key, "")
    for end in ENDS:
        if (kind, end) not in HARMLESS:
            with pytest.raises(DokkuError, match=rf"^Invalid value for {key}: "):
                nginx_options.set_(app, key, PLAIN[kind] + end)
    assert state() == before


@pytest.mark.parametrize("value", PATHS)
@pytest.mark.parametrize("key", ["access-log-path", "error-log-path"])
def test_a_log_that_nginx_would_open_elsewhere_is_refused(app: str, key: str, value: str) -> None:
    """NAME-9, NGX-11"""
    before = state()
    with pytest.raises(DokkuError, match=rf"^Invalid value for {key}: "):
        nginx_options.set_(app, key, value)
    assert state() == before


@pytest.mark.parametrize("value", DOMAINS)
def test_a_domain_that_would_be_more_than_one_is_refused(app: str, value: str) -> None:
    """NAME-7, NGX-1"""
    before = state()
    with pytest.raises(DokkuError, match=r"is invalid\. exiting\.\.\.$"):
        domains.add(app, [value])
    assert state() == before


@pytest.mark.parametrize("value", MAPS)
def test_a_port_map_that_is_none_is_refused(app: str, value: str) -> None:
    """NAME-8, NGX-1"""
    before = state()
    with pytest.raises(DokkuError, match=r"^Invalid port map "):
        ports.add(app, [value])
    assert state() == before


@pytest.mark.parametrize("value", ["a;b", "a{", "}", "a\nb", 'a"b', "a'b", "a\\b", "a\x7fb"])
def test_what_gets_past_all_that_is_not_written(value: str) -> None:
    """NGX-1"""
    with pytest.raises(DokkuError, match="can't stand in an nginx configuration"):
        nginx_options.harmless(value)

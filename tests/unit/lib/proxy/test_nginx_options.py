import re
from typing import Any

import pytest

from lib.base import properties, settings
from lib.base.errors import DokkuError
from lib.proxy import nginx_options

GOOD = {
    "size": ["1", "1k", "20M", "1g"],
    "time": ["60", "60s", "500ms", "1d"],
    "switch": ["on", "off"],
    "truth": ["true", "false"],
    "number": ["0", "15724800"],
    "buffers": ["8 4096", "64 4k"],
    "name": ["combined", "my_json2"],
    "ipv4": ["127.0.0.1", "0.0.0.0"],
    "ipv6": ["::", "fe80::1", "::ffff:1.2.3.4"],
    "header": ["$remote_addr", "$http_x_forwarded_for, $remote_addr"],
    "path": ["nginx.conf.sigil", "deploy/nginx/app.sigil"],
    "count": ["1", "64"],
    "upstreams": ["a.com", "a.com:443,10.0.0.1:80", "[::1]:8080"],
    "log": ["off", "/dev/stdout", "/var/log/nginx/a-b.log", "/var/log/nginx/sub/x"],
}
BAD = {
    "size": ["1t", "k", "1 k", "-1", "1m; }", "1m\n"],
    "time": ["1x", "60s; return 200", "1 s"],
    "switch": ["yes", "On"],
    "truth": ["yes", "1"],
    "number": ["-1", "1.5", "٣"],
    "buffers": ["8", "8 4k 1", "8  4k"],
    "name": ["a b", "a;b", ""],
    "ipv4": ["127.0.0.1:80", "localhost", "1.2.3", "::1", "::", ""],
    "ipv6": ["127.0.0.1", "[::]", "::1%lo", "localhost", ""],
    "header": ["#", "#a", "a;b", "{", '"', "'", "a\nb", "\\", ""],
    "path": ["/etc/passwd", "../x", "a/../../b", ".", "a\nb"],
    "upstreams": ["", ",", "a b", "unix:/x", "http://a", "a:x", "a;", "$host", "a\n"],
    "count": ["0", "-1", "1;", "1 2", ""],
    "log": [
        "/etc/passwd",
        "/var/log/nginx/../x",
        "/var/log/nginx/a b",
        "/var/log/nginx/",
        "/var/log/nginxx/a",
    ],
}


def key_of(kind: str) -> str:
    return next(key for key, option in nginx_options.OPTIONS.items() if option.kind == kind)


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind in GOOD for value in GOOD[kind]])
def test_a_value_of_its_kind_is_taken(kind: str, value: str) -> None:
    """NAME-9"""
    assert nginx_options.is_valid(key_of(kind), value)


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind in BAD for value in BAD[kind]])
def test_any_other_value_is_refused(kind: str, value: str) -> None:
    """NAME-9"""
    assert not nginx_options.is_valid(key_of(kind), value)


def test_every_kind_is_tried_here() -> None:
    """NAME-9"""
    assert {option.kind for option in nginx_options.OPTIONS.values()} == GOOD.keys() == BAD.keys()


def test_defaults_are_valid_themselves() -> None:
    for key, value in nginx_options.effective("web").items():
        assert not value or nginx_options.is_valid(key, value)


@pytest.fixture
def app(fs: Any) -> str:
    fs.create_dir(settings.app_dir("web"))
    return "web"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("web", "", ""), "No key specified"),
        (
            ("web", "nope", "1"),
            "Invalid key specified, valid keys include: access-log-format, access-log-path, ",
        ),
        (("--global", "proxy-buffering", "on"), "The key 'proxy-buffering' cannot be set globally"),
        (
            ("web", "proxy-read-timeout", "60s; return 200"),
            "Invalid value for proxy-read-timeout: 60s; return 200",
        ),
        (("web", "access-log-path", "/etc/cron.d/x"), "Invalid value for access-log-path: /etc/cron.d/x"),
        (("nope", "hsts", "true"), "App nope does not exist"),
    ],
)
def test_what_can_not_be_set_is_refused(app: str, words: tuple[str, str, str], said: str) -> None:
    with pytest.raises(DokkuError, match=f"^{re.escape(said)}"):
        nginx_options.set_(*words)
    assert properties.get_all("nginx", app) == properties.get_all("nginx", "--global") == {}


def test_an_option_is_set_and_unset(app: str, capfd: pytest.CaptureFixture[str]) -> None:
    nginx_options.set_(app, "proxy-read-timeout", "45s")
    assert nginx_options.effective(app)["proxy-read-timeout"] == "45s"
    nginx_options.set_(app, "proxy-read-timeout", "")
    assert nginx_options.effective(app)["proxy-read-timeout"] == "60s"
    said = "=====> Setting proxy-read-timeout to 45s\n=====> Unsetting proxy-read-timeout\n"
    assert capfd.readouterr().out == said


def test_the_report_has_dokkus_rows_in_its_order(app: str) -> None:
    assert " ".join(
        row.flag.removeprefix("--nginx-") for row in nginx_options.rows(app) if not row.newer
    ) == (
        "access-log-format access-log-path bind-address-ipv4 bind-address-ipv6 client-max-body-size "
        "disable-custom-config error-log-path global-hsts computed-hsts hsts hsts-include-subdomains "
        "hsts-max-age hsts-preload proxy-buffer-size proxy-buffering proxy-buffers proxy-busy-buffers-size "
        "proxy-read-timeout last-visited-at x-forwarded-for-value x-forwarded-port-value "
        "x-forwarded-proto-value x-forwarded-ssl"
    )


def test_programs_get_every_option_as_set_as_in_effect_and_as_for_all(app: str) -> None:
    nginx_options.set_("--global", "send-timeout", "10s")
    nginx_options.set_(app, "client-body-timeout", "20s")
    values = {row.flag.removeprefix("--nginx-"): row.value for row in nginx_options.rows(app)}
    for key in nginx_options.OPTIONS:
        assert {key, f"computed-{key}", f"global-{key}"} <= values.keys()
    shown = {key: value for key, value in values.items() if "send-timeout" in key or "body-timeout" in key}
    assert {key: value for key, value in shown.items() if "proxy" not in key} == {
        "client-body-timeout": "20s",
        "computed-client-body-timeout": "20s",
        "global-client-body-timeout": "60s",
        "send-timeout": "",
        "computed-send-timeout": "10s",
        "global-send-timeout": "10s",
    }


def test_only_what_somebody_set_is_given(app: str) -> None:
    assert nginx_options.given(app) == {}
    nginx_options.set_("--global", "send-timeout", "10s")
    properties.write("nginx", app, "keepalive-timeout", "1s; }")
    assert nginx_options.given(app) == {"send-timeout": "10s"}


def test_the_apps_value_comes_before_the_hosts(fs: object) -> None:
    properties.write("nginx", "--global", "hsts", "false")
    assert nginx_options.effective("web")["hsts"] == "false"
    properties.write("nginx", "web", "hsts", "true")
    assert nginx_options.effective("web")["hsts"] == "true"

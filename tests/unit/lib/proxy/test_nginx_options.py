import pytest

from lib.base import properties
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
    "address": ["127.0.0.1", "::", "fe80::1"],
    "header": ["$remote_addr", "$http_x_forwarded_for, $remote_addr"],
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
    "address": ["127.0.0.1:80", "localhost", "1.2.3", "[::]", "::1%lo", ""],
    "header": ["a;b", "{", '"', "'", "a\nb", "\\", ""],
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
    assert nginx_options.is_valid("web", key_of(kind), value)


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind in BAD for value in BAD[kind]])
def test_any_other_value_is_refused(kind: str, value: str) -> None:
    assert not nginx_options.is_valid("web", key_of(kind), value)


def test_every_kind_is_tried_here() -> None:
    assert {option.kind for option in nginx_options.OPTIONS.values()} == GOOD.keys() == BAD.keys()


def test_defaults_are_valid_themselves() -> None:
    for key, value in nginx_options.effective("web").items():
        assert not value or nginx_options.is_valid("web", key, value)


def test_an_unknown_option_is_named_with_the_known_ones() -> None:
    with pytest.raises(DokkuError, match=r"^Invalid key specified, valid keys include: access-log-format, "):
        nginx_options.verify("web", "nope", "1")


def test_the_apps_value_comes_before_the_hosts(fs: object) -> None:
    properties.write("nginx", "--global", "hsts", "false")
    assert nginx_options.effective("web")["hsts"] == "false"
    properties.write("nginx", "web", "hsts", "true")
    assert nginx_options.effective("web")["hsts"] == "true"


@pytest.mark.parametrize(
    ("changes", "header"),
    [
        ({}, "max-age=15724800; includeSubdomains"),
        ({"hsts": "false"}, ""),
        ({"hsts-include-subdomains": "false", "hsts-max-age": "1"}, "max-age=1"),
        ({"hsts-preload": "true"}, "max-age=15724800; includeSubdomains; preload"),
    ],
)
def test_the_hsts_header(changes: dict[str, str], header: str) -> None:
    assert nginx_options.hsts_header({**nginx_options.effective("web"), **changes}) == header

"""What haproxy:set takes, and which value counts."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base import properties, settings
from lib.base.errors import DokkuError
from lib.proxy import haproxy_options


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("http-port", "0"),
        ("http-port", "80;x"),
        ("https-port", "65536"),
        ("bind-address", "localhost"),
        ("bind-address", "127.0.0.1 ssl"),
        ("bind-address", "::1]"),
        ("bind-address", "300.1.1.1"),
        ("bind-address", "1.1"),
        ("bind-address", "224.0.0.1"),
        ("bind-address", "fe80::1%a\n  server x"),
        ("log-level", "loud"),
        ("log-level", "info\nbackend x"),
        ("max-connections", "-1"),
        ("client-max-body-size", "1m if TRUE"),
        ("client-max-body-size", "one"),
        ("client-max-body-size", "8589934592g"),
        ("client-max-body-size", "999999999999g"),
        ("proxy-read-timeout", "60s\n  server x"),
        ("proxy-read-timeout", "1y"),
        ("proxy-read-timeout", "30d"),
        ("proxy-read-timeout", "2147484"),
        ("proxy-read-timeout", "2147483648ms"),
        ("hsts", "maybe"),
        ("hsts-max-age", "1; x"),
    ],
)
def test_a_value_that_is_not_of_its_kind_is_refused_and_nothing_is_written(fs, key: str, value: str) -> None:
    with pytest.raises(DokkuError, match=f"Invalid value for {key}"):
        haproxy_options.set_(properties.GLOBAL, key, value)
    assert properties.get_all("haproxy", properties.GLOBAL) == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("http-port", "80"),
        ("bind-address", "127.0.0.1"),
        ("bind-address", "::1"),
        ("bind-address", "0.0.0.0"),
        ("bind-address", "::"),
        ("bind-address", "::ffff:10.0.0.1"),
        ("log-level", "info"),
        ("max-connections", "20000"),
        ("client-max-body-size", "10m"),
        ("client-max-body-size", "8589934591g"),
        ("proxy-read-timeout", "500ms"),
        ("proxy-read-timeout", "24d"),
        ("proxy-read-timeout", "2147483647ms"),
        ("hsts", "false"),
    ],
)
def test_a_value_of_its_kind_is_kept(fs, key: str, value: str) -> None:
    haproxy_options.set_(properties.GLOBAL, key, value)
    assert haproxy_options.general()[key] == value
    haproxy_options.set_(properties.GLOBAL, key, "")
    assert haproxy_options.general()[key] == haproxy_options.OPTIONS[key].default


def test_a_time_without_a_unit_is_seconds_as_it_is_for_nginx(fs) -> None:
    os.mkdir(settings.app_dir("web"))
    haproxy_options.set_("web", "proxy-read-timeout", "60")
    assert haproxy_options.effective("web")["proxy-read-timeout"] == "60s"


def test_unknown_keys_and_keys_of_the_host_are_refused_for_an_app(fs) -> None:
    os.mkdir(settings.app_dir("web"))
    with pytest.raises(DokkuError, match="Invalid key specified, valid keys include: bind-address, "):
        haproxy_options.set_("web", "image", "x")
    with pytest.raises(DokkuError, match="The key 'http-port' can only be set globally"):
        haproxy_options.set_("web", "http-port", "80")
    with pytest.raises(DokkuError, match="No key specified"):
        haproxy_options.set_("web", "", "")


def test_the_apps_own_value_counts_before_the_hosts_and_a_bad_one_on_disk_not_at_all(fs, capsys) -> None:
    properties.write("haproxy", properties.GLOBAL, "proxy-read-timeout", "5s")
    assert haproxy_options.effective("web")["proxy-read-timeout"] == "5s"
    properties.write("haproxy", "web", "proxy-read-timeout", "7s")
    assert haproxy_options.effective("web")["proxy-read-timeout"] == "7s"
    properties.write("haproxy", "web", "proxy-read-timeout", "7s\n  server x 1.2.3.4:80")
    assert haproxy_options.effective("web")["proxy-read-timeout"] == "5s"


@given(st.integers(0, 10**6), st.sampled_from(["", "k", "K", "m", "M", "g", "G"]))
def test_sizes_are_counted_in_bytes(number: int, unit: str) -> None:
    factor = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}[unit.lower()]
    assert haproxy_options.bytes_of(f"{number}{unit}") == number * factor


def test_the_report_has_own_computed_and_global_values(fs) -> None:
    properties.write("haproxy", "web", "client-max-body-size", "1m")
    properties.write("haproxy", properties.GLOBAL, "http-port", "80")
    found = {row.flag: row.value for row in haproxy_options.rows("web")}
    assert found["--haproxy-client-max-body-size"] == "1m"
    assert found["--haproxy-computed-proxy-read-timeout"] == "60s"
    assert found["--haproxy-global-http-port"] == "80"

from pathlib import Path

import pytest

from lib.app import config
from lib.base import log, properties, report
from lib.base.errors import AppNotFound, DokkuError
from lib.proxy import proxies, vhosts
from tests.unit.lib.proxy.conftest import Host

Output = pytest.CaptureFixture[str]


@pytest.fixture
def app(host: Host) -> Path:
    return host.app("web")


def test_nginx_is_the_proxy_unless_something_else_is_said(app: Path) -> None:
    assert proxies.type_("web") == "nginx"
    proxies.set_("--global", ["traefik"])
    assert proxies.type_("web") == "traefik"
    proxies.set_("web", ["caddy"])
    assert proxies.type_("web") == "caddy"


def test_setting_a_type_is_setting_a_variable(app: Path, capfd: Output) -> None:
    proxies.set_("web", ["nginx"])
    assert config.get("web", "DOKKU_APP_PROXY_TYPE") == "nginx"
    assert capfd.readouterr().out.startswith("-----> Setting config vars\n")


def test_properties_of_later_releases_are_set_and_unset(app: Path, capfd: Output) -> None:
    proxies.set_("web", ["proxy-port", "8080"])
    assert config.get("web", "DOKKU_PROXY_PORT") == "8080"
    proxies.set_("web", ["proxy-port"])
    assert config.get("web", "DOKKU_PROXY_PORT") == ""
    assert capfd.readouterr().out == "=====> Setting proxy-port to 8080\n=====> Unsetting proxy-port\n"


def test_a_type_of_one_letter_or_none_is_refused(app: Path) -> None:
    for words in ([], ["x"]):
        with pytest.raises(DokkuError, match=r"^Please specify a proxy type$"):
            proxies.set_("web", words)


def test_a_port_map_is_no_type(app: Path) -> None:
    with pytest.raises(DokkuError, match=r"^Detected potential port mapping instead of proxy type$"):
        proxies.set_("web", ["http:80:5000"])


@pytest.mark.parametrize(
    "words",
    [
        ["proxy-port", "0"],
        ["proxy-ssl-port", "x"],
        ["a b"],
        ["../x"],
        ["tipe", "nginx"],
        ["disabled", "maybe"],
    ],
)
def test_nonsense_is_refused(app: Path, words: list[str]) -> None:
    with pytest.raises(DokkuError, match=r"^Invalid"):
        proxies.set_("web", words)


def test_a_word_too_many_is_ignored(app: Path) -> None:
    proxies.set_("web", ["type", "nginx", "extra"])
    assert config.get("web", "DOKKU_APP_PROXY_TYPE") == "nginx"


def test_disabled_is_a_property_of_an_app(app: Path) -> None:
    proxies.set_("web", ["disabled", "true"])
    assert not proxies.is_enabled("web")
    proxies.set_("web", ["disabled", "false"])
    assert proxies.is_enabled("web")
    with pytest.raises(DokkuError, match="cannot be set globally"):
        proxies.set_("--global", ["disabled"])


def test_switching_off_again_makes_good_what_failed_the_first_time(host: Host) -> None:
    host.app("web", "10.0.0.2")
    vhosts.build(["web"])
    config.set_values("web", {"DOKKU_DISABLE_PROXY": "1"})
    proxies.disable("web")
    assert "web" not in host.in_force
    config.unset_values("web", ["DOKKU_DISABLE_PROXY"])
    proxies.enable("web")
    assert "web" in host.in_force


def test_the_app_has_to_exist(host: Host) -> None:
    with pytest.raises(AppNotFound):
        proxies.set_("nope", ["nginx"])


def test_off_and_on_again(app: Path, capfd: Output) -> None:
    with log.collected():
        proxies.disable("web")
    assert not proxies.is_enabled("web")
    assert config.get("web", "DOKKU_DISABLE_PROXY") == "1"
    proxies.disable("web")
    assert capfd.readouterr().out == "-----> Proxy is already disable for app\n"
    with log.collected():
        proxies.enable("web")
    assert proxies.is_enabled("web")
    proxies.enable("web")
    assert capfd.readouterr().out == "-----> Proxy is already enabled for app\n"


def test_a_proxy_that_a_later_release_switched_off_is_off(app: Path) -> None:
    properties.write("proxy", "web", "disabled", "true")
    assert not proxies.is_enabled("web")
    with log.collected():
        proxies.enable("web")
    assert proxies.is_enabled("web")


def test_the_report_has_just_the_rows_of_dokku(app: Path) -> None:
    assert report.as_text(proxies.rows("web"), report.GO) == [
        "       Proxy enabled:                 true",
        "       Proxy port map:                ",
        "       Proxy type:                    nginx",
    ]


def test_the_global_flag_is_an_owner() -> None:
    assert proxies.addressed("proxy-port", ["80"], is_global=True) == ("--global", ["proxy-port", "80"])
    assert proxies.addressed("web", None, is_global=False) == ("web", [])

from pathlib import Path

import pytest

from lib.app import config
from lib.base.errors import DokkuError
from lib.proxy import nginx_service, vhosts
from tests.unit.lib.proxy.conftest import Host

Output = pytest.CaptureFixture[str]


def broken(host: Host, *apps: str) -> list[Path]:
    """The files of apps that are served, into which somebody wrote what nginx does not know."""
    paths = [host.app(app, "10.0.0.2", domains=f"{app}.com") / "nginx.conf" for app in apps]
    vhosts.build(apps)
    for app, path in zip(apps, paths, strict=True):
        path.write_text(f"bogus {app};\n")
    return paths


def test_nothing_is_said_of_a_configuration_that_holds(host: Host, capfd: Output) -> None:
    nginx_service.validate(["web"], clean=True)
    assert capfd.readouterr() == ("", "")


def test_the_file_that_nginx_refuses_is_shown_and_stays(host: Host, capfd: Output) -> None:
    [path] = broken(host, "web")
    capfd.readouterr()
    with pytest.raises(DokkuError, match='unknown directive "bogus"'):
        nginx_service.validate(["web"], clean=False)
    assert capfd.readouterr().err.splitlines() == [
        " !     Failed to validate nginx config for web. Contents below...",
        "bogus web;",
        "",
    ]
    assert path.exists()


def test_every_file_that_nginx_refuses_can_be_put_out_of_its_sight(host: Host) -> None:
    paths = broken(host, "ant", "bee")
    nginx_service.validate(["ant", "bee"], clean=True)
    assert [path.exists() for path in paths] == [False, False]
    assert [path.with_name("nginx.conf.invalid").read_text() for path in paths] == [
        "bogus ant;\n",
        "bogus bee;\n",
    ]


def test_an_app_that_was_not_asked_for_is_left_alone(host: Host) -> None:
    [path] = broken(host, "web")
    with pytest.raises(DokkuError, match="bogus"):
        nginx_service.validate(["blog"], clean=True)
    assert path.exists()


def test_an_app_of_another_proxy_is_told(host: Host) -> None:
    host.app("web", "10.0.0.2")
    nginx_service.verify_is_nginx("web")
    config.set_values("web", {"DOKKU_APP_PROXY_TYPE": "traefik"})
    with pytest.raises(DokkuError, match="Configured proxy for web is traefik"):
        nginx_service.verify_is_nginx("web")


def test_a_file_is_shown_as_it_stands(host: Host, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (host.app("web", "10.0.0.2") / "nginx.conf").write_bytes(b"# \xff\n")
    nginx_service.show_configuration("web")
    assert capfdbinary.readouterr().out == b"# \xff\n"


def test_a_file_that_is_not_there_is_told(host: Host) -> None:
    host.app("web", "10.0.0.2")
    with pytest.raises(DokkuError, match=r"No nginx.conf exists for web"):
        nginx_service.show_configuration("web")

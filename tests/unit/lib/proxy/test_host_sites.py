from pathlib import Path

import pytest

from lib.base import settings
from lib.proxy import host_sites, vhosts
from tests.unit.lib.proxy.conftest import Host


@pytest.fixture
def etc(host: Host) -> Path:
    """A host's nginx with sites of its own, and the include of the apps."""
    found = Path("/etc/nginx")
    (found / "sites-enabled").mkdir(parents=True)
    (found / "nginx.conf").write_text(
        "http { include mime.types; include /etc/nginx/sites-enabled/*; "
        f"include {settings.root()}/*/nginx.conf; include nginx.conf; server {{ server_name Main.com; }} }}"
    )
    (found / "mime.types").write_text("types { text/x x; }")
    (found / "sites-enabled/shop").write_text('server { server_name shop.com _ ""; # server_name not.com;\n}')
    (found / "sites-enabled/odd").write_text("server { server_name odd.com; content_by_lua_block { } }")
    return found


def test_the_names_of_all_files_that_nginx_reads_are_known(etc: Path, host: Host) -> None:
    (host.app("web", "10.0.0.2") / "nginx.conf").write_text("server { server_name web.com; }")
    assert host_sites.names() == {"main.com", "shop.com"}


def test_where_nginx_begins_is_told_by_the_command_that_tests_it(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert host_sites.main() == "/etc/nginx/nginx.conf"
    monkeypatch.setenv("DOKKU_NGINX_TEST_COMMAND", "/usr/sbin/nginx -c /x/nginx.conf -t")
    assert host_sites.main() == "/x/nginx.conf"
    assert host_sites.names() == frozenset()


def test_no_app_gets_the_name_of_a_site_of_the_host(
    etc: Path, host: Host, capfd: pytest.CaptureFixture[str]
) -> None:
    host.app("web", "10.0.0.2", domains="web.com shop.com")
    vhosts.build(["web"])
    assert "server_name web.com;" in (host.conf("web") or "")
    assert "Skipping domain shop.com of web: it belongs to a site of the host" in capfd.readouterr().err


def test_an_app_that_had_the_name_before_keeps_it(etc: Path, host: Host) -> None:
    host.app("web", "10.0.0.2", domains="shop.com")
    site = (etc / "sites-enabled/shop").read_text()
    (etc / "sites-enabled/shop").unlink()
    vhosts.build(["web"])
    (etc / "sites-enabled/shop").write_text(site)
    vhosts.build(["web"])
    assert "server_name shop.com;" in (host.conf("web") or "")

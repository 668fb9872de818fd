from pathlib import Path

import pytest

from lib.app import config, ports
from lib.base import properties, settings
from lib.proxy import urls
from tests.unit.lib.proxy.conftest import Host


@pytest.fixture
def app(host: Host) -> Path:
    Path(settings.root(), "HOSTNAME").write_text("dokku.me\n")
    return host.app("web")


def give_certificate(app: Path) -> None:
    (app / "tls").mkdir()
    for name in ("server.crt", "server.key"):
        (app / "tls" / name).write_text("pem")


def test_a_new_app_is_at_the_hosts_name(app: Path) -> None:
    assert urls.all_("web") == ["http://dokku.me"]
    give_certificate(app)
    assert urls.all_("web") == ["https://dokku.me"]


def test_every_domain_at_every_port(app: Path) -> None:
    (app / "VHOST").write_text("b.com\na.com\n")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:80:5000 http:3000:3000"})
    assert urls.all_("web") == ["http://a.com", "http://a.com:3000", "http://b.com", "http://b.com:3000"]
    assert urls.preferred("web") == "http://a.com"


def test_with_a_certificate_https_is_preferred(app: Path) -> None:
    (app / "VHOST").write_text("a.com\n")
    give_certificate(app)
    assert urls.all_("web") == ["http://a.com", "https://a.com"]
    assert urls.preferred("web") == "https://a.com"


def test_https_without_a_certificate_is_no_url(app: Path) -> None:
    (app / "VHOST").write_text("a.com\n")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:80:5000 https:443:5000"})
    assert urls.all_("web") == ["http://a.com"]


def test_an_app_without_domains_is_at_the_hosts_name_and_its_port(app: Path) -> None:
    config.set_values("web", {"NO_VHOST": "1", "DOKKU_PROXY_PORT": "4711"})
    ports.settle("web")
    assert urls.all_("web") == ["http://dokku.me:4711"]


def test_an_app_without_a_proxy_is_at_its_containers_port(app: Path) -> None:
    config.set_values("web", {"DOKKU_DISABLE_PROXY": "1"})
    assert urls.all_("web") == ["http://dokku.me:5000 (container)"]
    config.set_values("web", {"DOKKU_DOCKERFILE_PORTS": "3000/tcp"})
    assert urls.all_("web") == ["dokku.me:3000 (container)"]


def test_what_a_plugin_says_counts(app: Path, tmp_path: Path, host: Host) -> None:
    hook = tmp_path / "lib/plugins/enabled/mine/app-urls"
    hook.parent.mkdir(parents=True)
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)
    host.answers(f"{hook} web urls", out="http://z\nhttp://a\n")
    assert urls.all_("web") == ["http://a", "http://z"]


def test_an_app_of_haproxy_is_at_the_ports_that_haproxy_has(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="web.test")
    config.set_values("web", {"DOKKU_APP_PROXY_TYPE": "haproxy"})
    assert urls.computed("web") == ["http://web.test:8080"]
    properties.write("haproxy", properties.GLOBAL, "http-port", "80")
    assert urls.computed("web") == ["http://web.test"]

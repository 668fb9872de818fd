from pathlib import Path

import pytest

from lib.app import config
from lib.proxy import sites
from lib.proxy.sites import Site
from tests.unit.lib.proxy.conftest import Host

Output = pytest.CaptureFixture[str]


def site(app: str) -> Site:
    found = sites.gather([app])[app]
    assert found is not None
    return found


def entries(app: str) -> list[str]:
    return [str(entry) for entry in site(app).entries]


def give_certificate(directory: Path) -> None:
    (directory / "tls").mkdir()
    for name in ("server.crt", "server.key"):
        (directory / "tls" / name).write_text("pem")


def test_docker_is_asked_once_for_many_apps(host: Host) -> None:
    host.app("one", "10.0.0.2", domains="a.com")
    host.app("two", "10.0.0.3", "10.0.0.4", domains="b.com")
    found = sites.gather(["one", "two", "gone"])
    assert [(one and one.addresses) for one in found.values()] == [
        ["10.0.0.2"],
        ["10.0.0.3", "10.0.0.4"],
        None,
    ]
    assert len([line for line in host.ran if line.startswith("docker")]) == 1


def test_addresses_come_from_docker_not_from_old_files(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    (Path(config.path("web")).parent / "IP.web.1").write_text("10.9.9.9")
    assert site("web").addresses == ["10.0.0.2"]


def test_an_address_that_is_another_apps_by_now_is_left_out(host: Host) -> None:
    host.app("web", "10.0.0.2", "10.0.0.3", domains="a.com")
    host.containers("web")[0]["Config"]["Labels"]["com.dokku.app-name"] = "other"
    assert site("web").addresses == ["10.0.0.3"]


def test_containers_that_do_not_run_are_left_out(host: Host) -> None:
    host.app("web", "10.0.0.2", "10.0.0.3", "10.0.0.4", domains="a.com")
    host.containers("web")[0]["State"]["Running"] = False
    host.containers("web")[1]["State"]["Restarting"] = True
    assert site("web").addresses == ["10.0.0.4"]


def test_only_web_containers_are_upstreams(host: Host) -> None:
    directory = host.app("web", "10.0.0.2", domains="a.com")
    for name in ("CONTAINER", "IP", "PORT"):
        (directory / f"{name}.web.1").rename(directory / f"{name}.worker.1")
    assert site("web").addresses == []


def test_a_closing_app_is_served_without_its_containers_and_without_a_word(host: Host, capfd: Output) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    assert sites.gather(["web"], closing=["web"]) == {"web": site("web")._replace(addresses=[])}
    assert capfd.readouterr().err == ""


def test_https_without_a_certificate_is_left_out(host: Host) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:80:5000 https:443:5000"})
    assert entries("web") == ["http:80:5000"]


@pytest.mark.parametrize("entry", ["grpc:80:5000", "https:80:5000", "http:443:5000", "grpcs:80:5000"])
def test_no_app_changes_what_is_spoken_at_everybodys_ports(host: Host, capfd: Output, entry: str) -> None:
    give_certificate(host.app("web", "10.0.0.2", domains="a.com"))
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": f"{entry} http:81:5000"})
    assert entries("web") == ["http:81:5000"]
    assert f"Skipping port map {entry} of web" in capfd.readouterr().err


def test_no_app_changes_what_another_speaks_at_a_port(host: Host, capfd: Output) -> None:
    other = host.app("other", "10.0.0.3", domains="b.com")
    (other / "nginx.conf").write_text("server {\n  listen      3000;\n}\n")
    give_certificate(host.app("web", "10.0.0.2", domains="a.com"))
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "https:3000:5000 http:81:5000"})
    assert entries("web") == ["http:81:5000"]
    assert "Skipping port map https:3000:5000" in capfd.readouterr().err


def test_an_app_all_of_whose_names_are_invalid_is_not_served(host: Host, capfd: Output) -> None:
    (host.app("web", "10.0.0.2") / "VHOST").write_text("$host\n")
    assert sites.gather(["web"]) == {"web": None}
    err = capfd.readouterr().err
    assert "Skipping invalid domain '$host' of web" in err
    assert "web has no domain of its own" in err

from pathlib import Path
from typing import Any

import pytest

from lib.app import config, processes
from lib.base import files, properties
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


def become_workers(directory: Path) -> None:
    for name in ("CONTAINER", "IP", "PORT"):
        (directory / f"{name}.web.1").rename(directory / f"{name}.worker.1")


def test_an_app_of_workers_only_is_not_served(host: Host, capfd: Output) -> None:
    become_workers(host.app("web", "10.0.0.2", domains="a.com"))
    assert sites.gather(["web"]) == {"web": None}
    assert capfd.readouterr().err == " !     No web listeners specified for web\n"


def test_an_app_whose_web_processes_were_scaled_down_answers_502(host: Host) -> None:
    directory = host.app("web", "10.0.0.2", domains="a.com")
    become_workers(directory)
    (directory / "nginx.conf").write_text("server {}\n")
    assert site("web").addresses == []
    files.replace(processes.procfile_path("web"), "web: ./serve\nworker: ./work\n")
    assert site("web").addresses == []
    files.replace(processes.procfile_path("web"), "worker: ./work\n")
    assert sites.gather(["web"]) == {"web": None}


def test_an_app_of_workers_with_a_listener_elsewhere_is_served(host: Host) -> None:
    become_workers(host.app("web", "10.0.0.2", domains="a.com"))
    properties.write("network", "web", "static-web-listener", "127.0.0.1:5000")
    assert site("web").addresses == ["127.0.0.1"]


def test_what_is_no_container_is_led_to_whatever_containers_do(host: Host) -> None:
    host.app("web", domains="a.com")
    properties.write("network", "web", "static-web-listener", "10.0.0.7:8080")
    assert site("web").addresses == ["10.0.0.7"]
    assert entries("web") == ["http:80:8080"]


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


def serve(host: Host, *apps: str) -> None:
    """Put into force, as far as neighbours can see, what `gather` says of some apps."""
    for app, found in sites.gather(apps).items():
        if found:
            lines = [f"  listen      {entry.host};\n" for entry in found.entries]
            lines += [f"  server_name {name};\n" for name in found.names]
            text = "".join(["server {\n", *lines, "}\n"])
            Path(config.path(app)).with_name("nginx.conf").write_text(text)


def nameless(host: Host, app: str, *entries: str) -> None:
    host.app(app, f"10.0.0.{len(app)}")
    config.set_values(app, {"NO_VHOST": "1", "DOKKU_PROXY_PORT_MAP": " ".join(entries)})


def test_an_app_without_domains_keeps_its_port_from_an_app_with_domains(host: Host, capfd: Output) -> None:
    nameless(host, "own", "http:4711:5000")
    serve(host, "own")
    host.app("a", "10.0.0.2", domains="a.com")
    config.set_values("a", {"DOKKU_PROXY_PORT_MAP": "http:4711:5000 http:80:5000"})
    assert entries("a") == ["http:80:5000"]
    assert "Skipping port map http:4711:5000 of a: own has no domains" in capfd.readouterr().err
    assert entries("own") == ["http:4711:5000"]


def test_of_two_apps_without_domains_the_first_keeps_a_port(host: Host, capfd: Output) -> None:
    nameless(host, "late", "http:4711:5000", "http:80:5000")
    serve(host, "late")
    nameless(host, "a", "http:4711:5000", "http:80:5000", "http:81:5000")
    assert entries("a") == ["http:81:5000"]
    err = capfd.readouterr().err
    assert "Skipping port map http:80:5000 of a: late answers to" in err


def test_apps_that_come_together_do_not_share_a_port_either(host: Host) -> None:
    nameless(host, "one", "http:4711:5000")
    nameless(host, "three", "http:4711:5000")
    host.app("fifth", "10.0.0.9", domains="a.com")
    config.set_values("fifth", {"DOKKU_PROXY_PORT_MAP": "http:4711:5000 http:82:5000"})
    found = sites.gather(["one", "three", "fifth"])
    assert [[str(entry) for entry in one.entries] for one in found.values() if one] == [
        ["http:4711:5000"],
        [],
        ["http:82:5000"],
    ]


def test_a_port_that_is_given_up_can_be_had_in_the_same_step(host: Host) -> None:
    nameless(host, "one", "http:4711:5000")
    serve(host, "one")
    nameless(host, "one", "http:4712:5000")
    nameless(host, "three", "http:4711:5000")
    found = sites.gather(["one", "three"])
    assert [[str(entry) for entry in one.entries] for one in found.values() if one] == [
        ["http:4712:5000"],
        ["http:4711:5000"],
    ]


def test_apps_at_everybodys_ports_cost_no_look_at_the_others(host: Host, monkeypatch: Any) -> None:
    host.app("web", "10.0.0.2", domains="a.com")
    monkeypatch.setattr("lib.proxy.port_owners.present", lambda: pytest.fail("looked"))
    assert entries("web") == ["http:80:5000"]


def test_what_can_not_be_served_is_foretold_for_an_app_that_is_not_deployed(
    host: Host, capfd: Output
) -> None:
    nameless(host, "own", "http:4711:5000")
    serve(host, "own")
    host.app("new", domains="new.com")
    config.set_values("new", {"DOKKU_PROXY_PORT_MAP": "http:4711:5000 grpc:80:5000 http:81:1"})
    sites.foretell("new", "add")
    assert capfd.readouterr().err.splitlines() == [
        " !     Port map grpc:80:5000 of new can't be served: the host speaks HTTP at port 80",
        " !     Port map http:4711:5000 of new can't be served: own has no domains and answers to every name"
        " at port 4711",
    ]
    sites.foretell("own", "add")
    config.set_values("new", {"DOKKU_DISABLE_PROXY": "1"})
    sites.foretell("new", "add")
    assert capfd.readouterr().err == ""


def test_an_entry_that_lacks_a_certificate_is_told_when_the_app_is_built(host: Host, capfd: Output) -> None:
    host.app("web", "10.0.0.2", domains="web.test")
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:80:5000 https:443:5000"})
    sites.foretell("web")
    assert capfd.readouterr().err == ""
    site = sites.gather(["web"])["web"]
    assert site is not None
    assert [str(entry) for entry in site.entries] == ["http:80:5000"]
    said = " !     Skipping port map https:443:5000 of web: there is no certificate\n"
    assert capfd.readouterr().err == said

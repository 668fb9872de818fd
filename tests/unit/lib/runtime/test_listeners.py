"""Where an app listens: live addresses of its containers, or what its static-web-listener names."""

import fcntl
import json
import os

import pytest

from lib.app import network_settings
from lib.base import files, locks, log, properties, settings
from lib.runtime import containers, listeners
from lib.runtime.containers import Container

APP, OTHER = "blog", "wiki"
A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
WEB = Container(APP, "web", 1, A, "172.17.0.2", "5000")
WORKER = Container(APP, "worker", 1, B, "172.17.0.3", "5000")


@pytest.fixture(autouse=True)
def said(tmp_path):
    """What the code under test writes: pairs of stream and bytes. Files are real, as locks have to be."""
    for app in (APP, OTHER):
        os.makedirs(settings.app_dir(app))
    with log.collected() as lines:
        yield lines


def known(id_, app=APP, running=True, ip="172.17.0.9"):
    return {
        "Id": id_,
        "Name": f"/{app}.web.1",
        "Image": "sha256:1",
        "RestartCount": 0,
        "State": {"Status": "running" if running else "exited", "Running": running, "StartedAt": ""},
        "Config": {"Labels": {"com.dokku.app-name": app}},
        "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {"IPAddress": ip},
    }


def inspected(shell, *answers):
    shell.answers("docker container inspect …", out="".join(f"{json.dumps(answer)}\n" for answer in answers))


def serve(app, *found):
    containers.adopt(app, found, [])
    containers.settle(app)


def static(app, text):
    properties.write(network_settings.STORE, app, network_settings.STATIC, text)


def test_listeners_are_the_live_addresses_of_running_containers(shell):
    second = Container(APP, "web", 2, C, "172.17.0.4", "3000")
    third = Container(APP, "web", 3, D, "172.17.0.5", "5000")
    serve(APP, WEB, second, third, WORKER)
    inspected(shell, known(A, ip="172.17.0.7"), known(C, ip="172.17.0.8"), known(D, running=False))
    assert listeners.of(APP) == ["172.17.0.7:5000", "172.17.0.8:3000"]
    assert listeners.of(APP, "cron") == []
    assert listeners.addresses([APP]) == {APP: ["172.17.0.7", "172.17.0.8"]}


@pytest.mark.parametrize("port", ["", "0", "65536", "5000; } server {", "http", "-1", "５０００", "5000/tcp"])
def test_a_port_that_is_none_does_not_get_into_an_address(shell, port):
    serve(APP, WEB)
    files.replace(os.path.join(settings.app_dir(APP), "PORT.web.1"), port)
    inspected(shell, known(A))
    assert listeners.of(APP) == ["172.17.0.9:5000"]


def test_docker_is_asked_once_for_many_apps(shell):
    serve(APP, WEB)
    serve(OTHER, WEB._replace(app=OTHER, id=B))
    inspected(shell, known(A, ip="10.0.0.1"), known(B, OTHER, ip="10.0.0.2"))
    assert listeners.addresses([APP, OTHER]) == {APP: ["10.0.0.1"], OTHER: ["10.0.0.2"]}
    assert len(shell.ran) == 1
    rows = listeners.reporter(["--network-web-listeners"])
    assert [rows(app)[-1].value for app in (APP, OTHER)] == ["10.0.0.1:5000", "10.0.0.2:5000"]
    assert len(shell.ran) == 2


def test_a_container_of_another_app_is_never_led_to(shell):
    serve(APP, WEB)
    inspected(shell, known(A, OTHER))
    assert listeners.addresses([APP]) == {APP: []}
    assert listeners.of(APP) == []


def test_docker_is_not_asked_for_apps_without_containers(shell):
    assert listeners.of_all([APP, OTHER]) == {APP: [], OTHER: []}
    assert listeners.addresses([APP]) == {APP: []}
    assert shell.ran == []


def test_a_static_listener_stands_in_for_the_containers(shell):
    serve(APP, WEB)
    static(APP, "10.0.0.7:8080,[::1]:8080")
    assert listeners.addresses([APP]) == {APP: ["10.0.0.7", "::1"]}
    assert listeners.of(APP) == ["10.0.0.7:8080", "[::1]:8080"]
    assert shell.ran == []
    inspected(shell, known(B, ip="10.0.0.1"))
    serve(APP, WORKER)
    assert listeners.of(APP, "worker") == ["10.0.0.1:5000"]


def test_a_static_listener_without_a_port_is_at_the_port_of_the_app():
    static(APP, "10.0.0.7")
    assert listeners.of(APP) == ["10.0.0.7:5000"]


@pytest.mark.parametrize("text", ["", "nonsense", "10.0.0.7:0", "10.0.0.7; }", "host.example:80", ",,"])
def test_garbage_in_the_file_is_no_static_listener(shell, text):
    static(APP, text)
    assert listeners.addresses([APP]) == {APP: []}


def test_a_proxy_leads_to_what_is_about_to_be_started_again_where_it_was(shell):
    serve(APP, WEB)
    networks = {
        "Networks": {"dokku.app.blog": {"IPAMConfig": {"IPv4Address": "172.16.0.2"}, "IPAddress": ""}}
    }
    down = known(A, running=False) | {"NetworkSettings": networks}
    inspected(shell, down | {"State": {"Status": "restarting", "Running": False, "StartedAt": ""}})
    assert listeners.addresses([APP]) == {APP: ["172.16.0.2"]}
    assert listeners.of(APP) == []


def test_a_proxy_does_not_lead_to_what_was_stopped(shell):
    serve(APP, WEB)
    networks = {
        "Networks": {"dokku.app.blog": {"IPAMConfig": {"IPv4Address": "172.16.0.2"}, "IPAddress": ""}}
    }
    inspected(shell, known(A, running=False) | {"NetworkSettings": networks})
    assert listeners.addresses([APP]) == {APP: []}


def test_the_files_that_plugins_read_say_where_the_proxy_leads(shell):
    serve(APP, WEB)
    place = os.path.join(settings.app_dir(APP), "IP.web.1")
    os.remove(place)
    inspected(shell, known(A, ip="172.17.0.7"))
    assert listeners.of(APP) == ["172.17.0.7:5000"]
    assert not os.path.exists(place), "a report writes nothing"
    listeners.addresses([APP])
    assert files.read(place) == "172.17.0.7"
    assert containers.registered(APP) == [WEB._replace(ip="172.17.0.7")]


def test_the_files_are_left_to_a_deploy_under_way(shell):
    serve(APP, WEB)
    inspected(shell, known(A, ip="172.17.0.7"))
    with open(locks.path(APP), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert listeners.addresses([APP]) == {APP: ["172.17.0.7"]}
    assert containers.registered(APP) == [WEB]

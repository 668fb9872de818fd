"""The form of a line, which containers are read, and what is passed to the scheduler."""

import json
import os

import pytest

from lib.app import config
from lib.base import files, log, properties, settings
from lib.base.errors import DokkuError, UsageError
from lib.runtime import logs
from lib.runtime.containers import Container

APP = "blog"
FIRST, SECOND, WORKER = "1" * 64, "2" * 64, "3" * 64


@pytest.fixture(autouse=True)
def _app(fs):
    os.makedirs(settings.app_dir(APP))


@pytest.fixture
def said():
    """What this thread writes: pairs of stream and bytes."""
    with log.collected() as lines:
        yield lines


def deploy(*gone):
    properties.write("common", APP, "deployed", "true")
    for name, id_ in (("web.1", FIRST), ("web.2", SECOND), ("worker.1", WORKER)):
        files.replace(os.path.join(settings.app_dir(APP), f"CONTAINER.{name}"), f"{id_}\n")
    known = [
        {
            "Id": id_,
            "Name": "/x",
            "Image": "sha256:1",
            "RestartCount": 0,
            "State": {"Status": "running", "Running": True, "StartedAt": "2026-01-01T00:00:00Z"},
            "Config": {"Labels": {"com.dokku.app-name": APP}},
            "HostConfig": {},
            "NetworkSettings": {},
        }
        for id_ in (FIRST, SECOND, WORKER)
        if id_ not in gone
    ]
    return "\n".join(map(json.dumps, known))


def read(shell):
    return sorted(line for line in shell.ran if " logs " in line)


def test_a_line_shows_time_app_and_container_in_a_colour_of_its_own():
    web = Container(APP, "web", 1, FIRST)
    line = b"2026-11-22T13:31:16.698083917Z listening Z on 5000\n"
    assert logs.formatted(line, web, 0) == (
        b"\x1b[36m2026-11-22T13:31:16.698083917Z blog[web.1]:\x1b[0m listening Z on 5000\n"
    )


def test_colours_are_used_in_turn():
    web = Container(APP, "web", 1, FIRST)
    assert [logs.formatted(b"x", web, number)[:5] for number in (1, 4, 5)] == [
        b"\x1b[33m",
        b"\x1b[31m",
        b"\x1b[36m",
    ]


def test_a_line_without_a_time_is_shown_whole():
    assert logs.formatted(b"from A to Z and on", Container(APP, "web", 1, FIRST), 0) == (
        b"\x1b[36mblog[web.1]:\x1b[0m from A to Z and on\n"
    )


def test_an_empty_line_stays_one():
    line = logs.formatted(b"2026-11-22T13:31:16.698083917Z \n", Container(APP, "web", 1, FIRST), 0)
    assert line.endswith(b"blog[web.1]:\x1b[0m \n")


def test_every_container_is_read(shell):
    shell.answers("docker container inspect …", deploy())
    logs.show(APP, lines=20)
    assert read(shell) == [
        f"docker container logs --tail=20 --timestamps {id_}" for id_ in (FIRST, SECOND, WORKER)
    ]


def test_a_type_or_one_container_of_it_may_be_chosen(shell):
    shell.answers("docker container inspect …", deploy())
    logs.show(APP, "web", plain=True)
    assert read(shell) == [f"docker container logs --tail=100 {id_}" for id_ in (FIRST, SECOND)]
    shell.ran.clear()
    logs.show(APP, "web.2", plain=True)
    assert read(shell) == [f"docker container logs --tail=100 {SECOND}"]


def test_a_type_the_app_does_not_have_says_nothing(shell):
    shell.answers("docker container inspect …", deploy())
    logs.show(APP, "clock")
    assert read(shell) == []


def test_a_container_that_is_gone_is_left_out(shell):
    shell.answers("docker container inspect …", deploy(FIRST, SECOND), "Error: No such container", status=1)
    logs.show(APP, follow=True)
    assert read(shell) == [f"docker container logs --tail=100 --follow --timestamps {WORKER}"]


def test_the_logs_of_another_schedulers_app_are_not_ours_to_read(shell, said):
    deploy()
    config.set_values(APP, {"DOKKU_SCHEDULER": "kubernetes"})
    logs.request(APP, "web", True, False, "007")
    assert shell.ran == []


@pytest.mark.parametrize("count", ["x", "-1", "1e3", "٣", "", " 1"])
def test_a_bad_count_is_refused(count):
    with pytest.raises(UsageError, match="invalid argument"):
        logs.request(APP, "", False, False, count)


def test_an_app_that_was_not_deployed_has_no_logs():
    with pytest.raises(DokkuError, match=r"App blog has not been deployed\Z"):
        logs.request(APP, "", False, False, "100")


def test_what_is_left_of_failed_containers_is_shown(shell, said):
    path = os.path.join(settings.data("scheduler-docker-local", APP), "failed-containers")
    files.replace(path, f"{FIRST} web.1\n{SECOND} web.2\n")
    shell.answers(
        "docker container inspect …", json.dumps({"Id": FIRST}), "Error: No such container", status=1
    )
    logs.show_failed(APP)
    assert read(shell) == [f"docker container logs --tail=1000000000 {FIRST}"]
    assert said[-1] == (2, f" !     App container {SECOND} no longer running\n".encode())


def test_an_app_without_failed_containers_says_so(shell, said):
    logs.show_failed(APP)
    assert b"".join(data for _, data in said).decode() == (
        "=====> blog failed deploy logs\n !     No failed containers found\n"
    )


def test_the_last_lines_of_a_container_come_without_their_ends(shell):
    shell.answers("docker container logs …", "zero\none\r\ntwo")
    assert logs.last_lines(FIRST, 2) == ["one", "two"]
    assert shell.ran == [f"docker container logs --tail=2 {FIRST}"]

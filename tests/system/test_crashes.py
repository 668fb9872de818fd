"""A container that crashes comes back by its restart policy and is found; nobody answers as another."""

import ipaddress
import json
import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.system.conftest import Instance, wait_for

CRASHES = 6  # after so many in a row docker waits for some seconds before it starts the container again


@pytest.fixture
def app(instance: Instance) -> Iterator[str]:
    """An app that serves."""
    name = instance.name("crashing")
    assert instance.push(instance.new_repo(instance.sample("still me")), name).code == 0
    yield name
    assert instance.dokku("apps:destroy", "--force", name).code == 0


def _state(instance: Instance, id_: str) -> tuple[bool, int, str]:
    """Whether a container runs, its first process, its address."""
    shape = "{{.State.Running}} {{.State.Pid}} {{.NetworkSettings.IPAddress}}"
    running, pid, *ip = instance.docker("inspect", f"--format={shape}", id_).split()
    return running == "true" and bool(ip), int(pid), "".join(ip)


def _crash(instance: Instance, id_: str) -> None:
    _, pid, _ = _state(instance, id_)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: _state(instance, id_)[1] != pid, 20)


def test_an_app_that_keeps_ending_is_told_as_a_crash_loop(instance: Instance, app: str) -> None:
    id_ = (instance.root / app / "CONTAINER.web.1").read_text().strip()
    (status,) = json.loads(instance.dokku("status", app, "--format", "json").out)
    assert (status["state"], status["running"], status["restarts"]) == ("running", 1, 0)
    for _ in range(3):
        _crash(instance, id_)
    wait_for(lambda: _state(instance, id_)[0], 30)
    (status,) = json.loads(instance.dokku("status", app, "--format", "json").out)
    assert (status["state"], status["running"], status["restarts"]) == ("crash loop", 0, 3)
    assert instance.dokku("ps:report", app, "--running").out == "false\n"


def _sleeper(instance: Instance) -> list[str]:
    """The words that start a container which only has an address; it goes with the instance."""
    mark = f"--label=com.dokku.app-name={instance.name('sleeper')}"
    return ["run", "--detach", mark, "dokku-test/busybox", "sleep", "600"]


def _number(address: str) -> int:
    return int(ipaddress.ip_address(address))


def _fill_below(instance: Instance, address: str) -> None:
    """Take the free addresses below one: docker gives out the lowest, which is that one then."""
    for _ in range(60):
        sleeper = instance.docker(*_sleeper(instance)).strip()
        if _number(_state(instance, sleeper)[2]) > _number(address):
            return


def _crash_until_docker_waits(instance: Instance, id_: str) -> str:
    """Crash a container so often that it is down for a while; the address that is free now."""
    _fill_below(instance, _state(instance, id_)[2])
    for _ in range(CRASHES):
        wait_for(lambda: _state(instance, id_)[0], 30)
        address = _state(instance, id_)[2]
        _crash(instance, id_)
    return address


def test_a_crashed_container_comes_back_by_its_policy_and_serves(instance: Instance, app: str) -> None:
    """RBT-5"""
    id_ = (instance.root / app / "CONTAINER.web.1").read_text().strip()
    _crash(instance, id_)
    wait_for(lambda: _state(instance, id_)[0], 30)
    wait_for(lambda: instance.get(app) == (200, "still me"), 30)
    assert (instance.root / app / "CONTAINER.web.1").read_text().strip() == id_


def test_a_container_killed_by_hand_comes_back_and_serves(instance: Instance, app: str) -> None:
    id_ = (instance.root / app / "CONTAINER.web.1").read_text().strip()
    instance.docker("kill", id_)
    wait_for(lambda: not _state(instance, id_)[0], 20)

    retired = instance.dokku("ps:retire")

    assert retired.code == 0, retired
    assert f"-----> web.1 of {app} was killed, it is started again\n" in retired.out
    wait_for(lambda: instance.get(app) == (200, "still me"), 10)
    assert (instance.root / app / "CONTAINER.web.1").read_text().strip() == id_

    assert instance.dokku("ps:stop", app).code == 0
    assert "was killed" not in instance.dokku("ps:retire").out
    assert not _state(instance, id_)[0]


def test_who_gets_the_address_of_a_crashed_container_never_answers_for_it(
    instance: Instance, app: str
) -> None:
    """RBT-2"""
    other = instance.name("newcomer")
    repo = instance.new_repo(instance.sample("somebody else"))
    assert instance.push(repo, other).code == 0
    id_ = (instance.root / app / "CONTAINER.web.1").read_text().strip()
    address = _crash_until_docker_waits(instance, id_)

    restart = instance.dokku("ps:scale", other, "web=3")

    assert restart.code == 0, restart
    pages = set()
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        pages.add(instance.get(app, timeout=5))
    taken = [_state(instance, one)[2] for one in instance.containers(other, "status=running")]
    assert "somebody else" not in {page.body for page in pages}
    wait_for(lambda: instance.get(app) == (200, "still me"), 60)
    assert instance.dokku("apps:destroy", "--force", other).code == 0
    if address not in taken:
        pytest.skip("somebody else on this docker got the address")

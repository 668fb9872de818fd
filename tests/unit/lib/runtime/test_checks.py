"""Which containers are checked, how long they have to stay up, and what is said of those that fail."""

import concurrent.futures
import datetime
import json
import os
import signal
import time

import pytest

from lib.app import config
from lib.base import files, log, settings
from lib.base.errors import DokkuError, Interrupted
from lib.runtime import checks
from lib.runtime.containers import Container

APP = "blog"
ID = "c" * 64
WEB = Container(APP, "web", 1, ID, "172.17.0.2", "5000")
WORKER = Container(APP, "worker", 1, ID, "172.17.0.2", "5000")
INSPECT = f"docker container inspect '--format={{{{json .}}}}' -- {ID}"


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    config.set_values(APP, {"DOKKU_DEFAULT_CHECKS_WAIT": "0"})
    with log.collected() as lines:
        yield lines


def text_of(said):
    return b"".join(data for _, data in said).decode()


def state(running=True, restarts=0, age=60.0, app=APP):
    started = datetime.datetime.fromtimestamp(time.time() - age, datetime.UTC)
    return json.dumps(
        {
            "Id": ID,
            "Name": "/blog.web.1",
            "Image": "sha256:1",
            "RestartCount": restarts,
            "State": {
                "Status": "running" if running else "exited",
                "Running": running,
                "StartedAt": started.isoformat().replace("+00:00", "Z"),
            },
            "Config": {"Labels": {"com.dokku.app-name": app}},
            "HostConfig": {"NetworkMode": "bridge"},
            "NetworkSettings": {"IPAddress": "172.17.0.2"},
        }
    )


def register(*containers):
    for one in containers:
        place = f"{one.process}.{one.index}"
        for kind, content in (("CONTAINER", one.id), ("IP", one.ip), ("PORT", one.port)):
            files.replace(os.path.join(settings.app_dir(APP), f"{kind}.{place}"), content)


def test_a_container_that_stays_up_is_ready(shell, said):
    shell.answers(INSPECT, state())
    checks.wait_until_ready(WORKER)
    assert text_of(said) == (
        "-----> Attempting pre-flight checks (worker.1)\n       Default container check successful!\n"
    )


def test_a_container_that_is_down_is_not(shell, said):
    shell.answers(INSPECT, state(running=False))
    shell.answers(f"docker container logs --tail=100 {ID}", "one\ntwo\n", "three\n")
    with pytest.raises(checks.Failed, match="App container failed to start!!"):
        checks.wait_until_ready(WORKER)
    lines = text_of(said).splitlines()
    assert lines[1] == "=====> blog worker container output:"
    assert lines[-1] == "=====> end blog worker container output"
    assert sorted(lines[2:-1]) == ["       one", "       three", "       two"]


def test_a_container_that_is_gone_is_not_ready(shell):
    shell.answers(INSPECT, "", f"Error: No such container: {ID}", status=1)
    with pytest.raises(checks.Failed):
        checks.wait_until_ready(WORKER)


def test_a_container_of_another_app_is_not_ready(shell):
    shell.answers(INSPECT, state(app="other"))
    with pytest.raises(checks.Failed):
        checks.wait_until_ready(WORKER)


def test_a_container_that_was_restarted_while_it_had_to_stay_up_is_not_ready(shell):
    config.set_values(APP, {"DOKKU_DEFAULT_CHECKS_WAIT": "3"})
    shell.answers(INSPECT, state(restarts=1, age=2.5))
    with pytest.raises(checks.Failed):
        checks.wait_until_ready(WORKER)


def test_a_restart_long_ago_does_not_count(shell):
    shell.answers(INSPECT, state(restarts=1, age=3600))
    checks.check(APP, ID, "worker", "5000", "172.17.0.2")


def test_the_wait_counts_from_the_start_of_the_container(shell, said, clock):
    config.set_values(APP, {"DOKKU_DEFAULT_CHECKS_WAIT": "10"})
    shell.answers(INSPECT, state(age=9.2))
    checks.wait_until_ready(WORKER)
    assert clock.slept == [1]  # 0.8 are left, and it is looked at once a second
    assert "       Waiting for 1 seconds ...\n" in text_of(said)


def test_a_crash_ends_the_wait_at_once(shell, clock):
    config.set_values(APP, {"DOKKU_DEFAULT_CHECKS_WAIT": "30"})
    shell.answers(INSPECT, state(age=0))
    shell.answers(INSPECT, state(running=False, age=0))
    with pytest.raises(checks.Failed):
        checks.wait_until_ready(WORKER)
    assert sum(clock.slept) < 30


def test_an_interruption_ends_the_waits_that_have_begun_even_before_the_last_one_has(
    shell, monkeypatch, clock
):
    config.set_values(APP, {"DOKKU_DEFAULT_CHECKS_WAIT": "30"})
    shell.answers(INSPECT, state(age=0))
    submit = concurrent.futures.ThreadPoolExecutor.submit

    def submit_then_die(pool, work, container):
        submit(pool, work, container)
        raise Interrupted(signal.SIGTERM)

    monkeypatch.setattr(concurrent.futures.ThreadPoolExecutor, "submit", submit_then_die)
    with pytest.raises(Interrupted):
        checks.wait_until_all_ready([WORKER, WORKER._replace(index=2)])
    assert sum(clock.slept) < 30


def test_a_type_with_disabled_checks_is_ready_without_a_question(shell, said):
    config.set_values(APP, {"DOKKU_CHECKS_DISABLED": "worker"})
    checks.wait_until_ready(WORKER)
    assert shell.ran == []
    assert said == []


def test_a_type_with_skipped_checks_is_ready_at_once(shell, said):
    config.set_values(APP, {"DOKKU_CHECKS_SKIPPED": "_all_"})
    checks.wait_until_ready(WORKER)
    assert shell.ran == []
    assert text_of(said).endswith(
        "=====> Zero downtime checks for app (blog) have been skipped. moving on...\n"
    )


def test_another_schedulers_containers_are_not_ours_to_check(shell):
    config.set_values(APP, {"DOKKU_SCHEDULER": "kubernetes"})
    checks.check(APP, ID, "worker", "5000", "172.17.0.2")
    assert shell.ran == []


def test_a_web_container_without_a_checks_file_has_to_stay_up(shell, said):
    shell.answers(INSPECT, state())
    shell.answers("docker image inspect …", json.dumps({"Id": "sha256:none", "Config": {}}))
    shell.answers("docker container create …", "f" * 64 + "\n")
    shell.answers("docker container cp …", "", "Could not find the file /Procfile in container f", status=1)
    checks.wait_until_ready(WEB)
    assert "Default container check successful!" in text_of(said)


def test_running_checks_covers_every_serving_container(shell, said):
    register(WEB._replace(process="clock"), WORKER)
    shell.answers(INSPECT, state())
    checks.run(APP, [])
    assert [line for line in text_of(said).splitlines() if line.startswith("----->")] == [
        "-----> Running pre-flight checks",
        "-----> Running checks for app (blog.clock.1)",
        "-----> Running checks for app (blog.worker.1)",
    ]


def test_running_checks_takes_types_and_containers(shell, said):
    register(WORKER, WORKER._replace(index=2))
    shell.answers(INSPECT, state())
    checks.run(APP, ["worker.2"])
    assert "(blog.worker.2)" in text_of(said)
    assert "(blog.worker.1)" not in text_of(said)


def test_running_checks_leaves_out_disabled_types(shell, said):
    register(WORKER)
    shell.answers(INSPECT, state())
    config.set_values(APP, {"DOKKU_CHECKS_DISABLED": "worker"})
    checks.run(APP, ["worker"])
    assert text_of(said).splitlines()[1:] == [
        "-----> Zero downtime is disabled for app (blog.worker). Skipping checks"
    ]


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("nope", r"Invalid process type specified \(blog.nope\)"),
        ("worker.9", r"Invalid container index specified \(blog.worker.9\)"),
        ("worker.", r"Invalid container index specified \(blog.worker.\)"),
        ("worker.x", r"Invalid container index specified \(blog.worker.x\)"),
    ],
)
def test_running_checks_refuses_what_the_app_does_not_have(shell, name, refusal):
    register(WORKER)
    with pytest.raises(DokkuError, match=refusal):
        checks.run(APP, [name])


def test_running_checks_refuses_an_app_that_was_not_deployed(shell):
    with pytest.raises(DokkuError, match="App blog has not been deployed"):
        checks.run(APP, [])

"""What the docker-local scheduler answers from its files and from docker."""

import json
import os
import time

import pytest

from lib.app import apps, config
from lib.base import files, log, properties, settings
from lib.base.errors import DokkuError
from lib.runtime import docker_local, retirement

APP = "blog"
WEB, WORKER, OLD = "a" * 64, "b" * 64, "c" * 64
OURS = "docker-local"


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


def text_of(said):
    return b"".join(data for _, data in said).decode()


def known(id_, running=True, app=APP, env=()):
    return {
        "Id": id_,
        "Name": "/blog.web.1",
        "Image": "sha256:1",
        "RestartCount": 0,
        "State": {"Status": "running" if running else "exited", "Running": running, "StartedAt": ""},
        "Config": {"Labels": {"com.dokku.app-name": app}, "Env": list(env)},
        "HostConfig": {},
        "NetworkSettings": {},
    }


def deploy(shell, *answers, app=APP):
    properties.write("common", app, "deployed", "true")
    for name, id_ in (("web.1", WEB), ("worker.1", WORKER)):
        files.replace(os.path.join(settings.app_dir(app), f"CONTAINER.{name}"), f"{id_}\n")
    missing = "Error: No such container" if len(answers) < 2 else ""
    shell.answers(
        "docker container inspect …", "\n".join(map(json.dumps, answers)), missing, int(bool(missing))
    )


@pytest.mark.parametrize(
    ("web", "worker", "answer"),
    [(True, True, "2 true"), (False, False, "2 false"), (True, False, "2 mixed")],
)
def test_the_status_says_whether_all_run(shell, web, worker, answer):
    deploy(shell, known(WEB, web), known(WORKER, worker))
    assert docker_local.status(OURS, APP) == answer


def test_a_container_in_a_crash_loop_does_not_count_as_running(shell):
    crashing = {**known(WEB), "RestartCount": 7}
    crashing["State"]["StartedAt"] = "2030-01-01T11:59:50.123456789Z"  # ten seconds ago
    deploy(shell, crashing, known(WORKER))
    assert docker_local.status(OURS, APP) == "2 mixed"


def test_a_container_that_is_gone_does_not_run(shell):
    deploy(shell, known(WEB))
    assert docker_local.status(OURS, APP) == "2 mixed"


def test_an_app_without_containers_does_not_run_and_docker_is_not_asked(shell):
    assert docker_local.status(OURS, APP) == "0 false"
    assert shell.ran == []


@pytest.mark.parametrize(
    "answer",
    [
        docker_local.status,
        docker_local.stop,
        docker_local.inspect,
        docker_local.show_logs,
        docker_local.show_failed_logs,
        docker_local.retire,
        docker_local.verify_deployed,
    ],
)
def test_another_schedulers_question_is_left_alone(shell, said, answer):
    retirement.register(APP, [OLD], 0)
    assert not answer("kubernetes", APP)
    assert shell.ran == []
    assert said == []


def test_an_app_is_deployed_when_it_has_containers(shell):
    with pytest.raises(DokkuError) as refused:
        docker_local.verify_deployed(OURS, APP)
    assert (refused.value.text, refused.value.exit_code) == ("", 1)
    deploy(shell)
    docker_local.verify_deployed(OURS, APP)


def test_stopping_stops_what_serves_and_what_still_waits_to_be_retired(shell):
    deploy(shell)
    config.set_values(APP, {"DOKKU_DOCKER_STOP_TIMEOUT": "5"})
    retirement.register(APP, [OLD, WEB], 60)
    docker_local.stop(OURS, APP)
    assert shell.ran == [
        f"docker container update --restart=no {WEB} {WORKER} {OLD}",
        f"docker container stop -t 5 {WEB} {WORKER} {OLD}",
    ]
    assert os.path.exists(os.path.join(settings.app_dir(APP), "CONTAINER.web.1"))


def test_stopping_for_good_removes_the_containers(shell):
    deploy(shell)
    shell.answers("docker container ls …", f"{WEB}\n{WORKER}\n")
    docker_local.stop(OURS, APP, "true")
    assert shell.ran[-1] == f"docker container rm --force --volumes {WEB} {WORKER}"
    assert not os.path.exists(os.path.join(settings.app_dir(APP), "CONTAINER.web.1"))


def test_inspecting_hides_the_apps_config(shell, said):
    env = ["SECRET=hunter2", "DOKKU_APP=1", "PATH=/bin", "PORT=5000", "EMPTY=", "PATHS=x", "DYNO=web.1"]
    deploy(shell, known(WEB, env=env), known(WORKER))
    docker_local.inspect(OURS, APP)
    shown = json.loads(text_of(said))
    assert [entry["Id"] for entry in shown] == [WEB, WORKER]
    assert shown[0]["Config"]["Env"] == [
        *("SECRET=XXXXXX", "DOKKU_APP=1", "PATH=/bin", "PORT=5000", "EMPTY=XXXXXX"),
        *("PATHS=XXXXXX", "DYNO=web.1"),
    ]
    assert "hunter2" not in text_of(said)
    assert text_of(said).startswith('[\n    {\n        "Config": {')


def test_retiring_goes_on_when_one_app_fails(shell, said):
    retirement.register(APP, [OLD], -1)
    retirement.register("zebra", [WEB], -1)
    retirement.register("later", [WORKER], 60)
    shell.answers(f"docker container rm --force {OLD}", "", "daemon is tired", status=1)
    with pytest.raises(DokkuError, match="Unable to retire containers of blog"):
        docker_local.retire(OURS)
    assert f"docker container rm --force {WEB}" in shell.ran
    assert sorted(entry.app for entry in retirement.entries()) == ["blog", "later"]


def test_retiring_one_app_leaves_the_others_alone(shell):
    retirement.register(APP, [OLD], -1)
    retirement.register("zebra", [WEB], -1)
    docker_local.retire(OURS, "zebra")
    assert [entry.app for entry in retirement.entries()] == ["blog"]


def test_retiring_without_anything_due_asks_nobody(shell, said):
    retirement.register(APP, [OLD], 60)
    docker_local.retire(OURS)
    assert [line for line in shell.ran if "stop" in line or "rm" in line] == []
    assert time.time() < retirement.entries()[0].deadline
    assert said == []


def test_the_report_shows_each_container_and_asks_docker_once(shell, said):
    os.makedirs(settings.app_dir("other"))
    deploy(shell, known(WEB), known(WORKER, running=False))
    docker_local.report([], "stdout")
    assert text_of(said).splitlines()[:9] == [
        "=====> blog ps information",
        "       Deployed:                      true",
        "       Processes:                     2",
        "       Ps can scale:                  true",
        "       Ps restart policy:             ",
        "       Restore:                       true",
        "       Running:                       mixed",
        "       Status web 1:                  running (CID: aaaaaaaaaaa)",
        "       Status worker 1:               exited (CID: bbbbbbbbbbb)",
    ]
    assert "       Running:                       false" in text_of(said).splitlines()[9:]
    assert len(shell.ran) == 1


def test_the_report_on_an_app_that_was_never_deployed_starts_nothing(shell, said):
    docker_local.report([APP], "stdout")
    assert shell.ran == []
    assert "       Deployed:                      false\n" in text_of(said)


def test_a_container_that_is_gone_is_reported_missing(shell, said):
    deploy(shell, known(WEB))
    docker_local.report([APP, "--status-worker.1"], "stdout")
    assert text_of(said) == "missing (CID: bbbbbbbbbbb)\n"


def test_a_container_that_is_another_apps_is_reported_missing(shell, said):
    deploy(shell, known(WEB), known(WORKER, app="other"))
    docker_local.report([APP, "--status-worker.1"], "stdout")
    assert text_of(said) == "missing (CID: bbbbbbbbbbb)\n"


def test_the_report_is_json_too(shell, said):
    deploy(shell, known(WEB), known(WORKER))
    docker_local.report([APP], "json")
    shown = json.loads(text_of(said))
    assert shown["running"] == "true"
    assert shown["status-web.1"] == "running (CID: aaaaaaaaaaa)"
    assert shown["ps-can-scale"] == shown["can-scale"] == "true"


def test_the_report_refuses_a_name_that_leads_elsewhere(shell):
    with pytest.raises(DokkuError, match="App name must begin"):
        docker_local.report(["../blog"], "stdout")
    assert not apps.exists("../blog")
    assert shell.ran == []

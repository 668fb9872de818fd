"""Healthchecks of app.json on real docker: each kind passes and fails, and who serves meanwhile."""

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.system.conftest import Instance
from tests.system.load import Load

PROCFILE = "web: /app/serve\nworker: sleep 1000\n"
SLOW = """#!/bin/sh
trap 'kill $server; exit 0' TERM INT
echo "warming up"
sleep 4
httpd -f -p "${PORT:-5000}" -h /www &
server=$!
wait
"""


@pytest.fixture(scope="module")
def app(instance: Instance) -> Iterator[str]:
    """An app whose web and worker passed every kind of check there is."""
    name = instance.name("healthy")
    checks = {
        "web": [
            {"name": "page", "path": "/", "content": "healthy", "attempts": 50, "wait": 1},
            {"name": "inside", "command": ["sh", "-c", 'test "$DYNO" = web.1']},
            {"name": "door", "listening": True},
            {"name": "steady", "uptime": 2},
            {"name": "ready", "type": "readiness", "path": "/index.html"},
            {"name": "alive", "type": "liveness", "path": "/alive"},
            {"name": "second door", "listening": True, "port": 9, "attempts": 1, "warn": True},
        ],
        "worker": [{"command": ["true"], "initialDelay": 1}, {"uptime": 1}],
    }
    assert instance.dokku("apps:create", name).code == 0
    assert instance.dokku("ps:scale", name, "worker=2").code == 0
    pushed = instance.push(instance.new_repo(_files(instance, "healthy", checks)), name)
    assert pushed.code == 0, pushed
    for title in ("page", "inside", "door", "steady", "ready", "uptime of 1 seconds", "command true"):
        assert f"Healthcheck succeeded name='{title}'" in pushed.err
    assert "All checks successful (web.1)" in pushed.err
    assert all(f"All checks successful (worker.{index})" in pushed.err for index in (1, 2))
    assert "Warning in name='second door': nothing listens on" in pushed.err
    assert "Healthcheck name='alive' type='liveness' is not watched, checks:run asks it" in pushed.err
    assert "CHECKS is not used" in pushed.err
    assert instance.dokku("ps:scale", name, "worker=0").code == 0
    yield name
    assert instance.dokku("apps:destroy", "--force", name).code == 0
    assert instance.containers(name) == []


def _files(instance: Instance, page: str, checks: object, **more: str) -> dict[str, str]:
    text = json.dumps({"healthchecks": checks})
    return instance.sample(page, **{"app.json": text, "Procfile": PROCFILE, **more})


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ({"path": "/absent"}, "the requested URL returned error: 404"),
        ({"path": "/", "content": "something else"}, 'expected to but did not find: "something else"'),
        ({"command": ["sh", "-c", "echo no database; exit 7"]}, "the command ended with status 7"),
        ({"command": ["sleep", "60"], "timeout": 1}, "the command did not end within 1 seconds"),
        ({"listening": True, "port": 81}, ":81: Connection refused"),
    ],
    ids=["path", "content", "command", "slow-command", "listening"],
)
def test_what_fails_a_check_never_serves(
    instance: Instance, app: str, check: dict[str, object], problem: str
) -> None:
    """DKR-12, CRS-8"""
    before = instance.containers(app)
    checks = {"web": [{"name": "wanted", "attempts": 2, "wait": 1, **check}]}
    pushed = instance.push(instance.new_repo(_files(instance, "sick", checks)), app)

    assert pushed.code != 0
    assert "Attempt 2/2 of name='wanted': " in pushed.err
    assert pushed.err.count(problem) == 3  # twice when tried, and in the end
    assert "Failure in name='wanted': " in pushed.err
    assert " !     Could not start due to 1 failed checks (web.1)" in pushed.err
    assert f"=====> {app} web container output:" in pushed.err
    assert "listening on 5000" in pushed.err
    assert instance.get(app) == (200, "healthy")
    assert instance.containers(app) == before


def test_a_container_that_dies_within_its_uptime_never_serves(instance: Instance, app: str) -> None:
    """DKR-12"""
    dying = "#!/bin/sh\necho out of memory >&2\nsleep 1\nexit 9\n"
    files = _files(instance, "sick", {"web": [{"name": "steady", "uptime": 30}]}, serve=dying)
    pushed = instance.push(instance.new_repo(files), app)
    assert pushed.code != 0
    assert "Failure in name='steady': App container failed to start!!" in pushed.err
    assert "out of memory" in pushed.err
    assert instance.get(app) == (200, "healthy")


def test_a_type_other_than_web_holds_a_deploy_back_too(instance: Instance, app: str) -> None:
    checks = {"worker": [{"name": "queue", "command": ["false"], "attempts": 1}]}
    assert instance.dokku("ps:scale", "--skip-deploy", app, "worker=3").code == 0
    pushed = instance.push(instance.new_repo(_files(instance, "sick", checks)), app)
    assert instance.dokku("ps:scale", "--skip-deploy", app, "worker=0").code == 0
    assert pushed.code != 0
    assert "Waiting for worker.1, worker.2, worker.3 to be ready ..." in pushed.err
    assert "Could not start due to 1 failed checks (worker." in pushed.err
    assert instance.get(app) == (200, "healthy")


def test_a_bad_check_is_refused_before_anything_is_built(instance: Instance, app: str) -> None:
    checks = {"web": [{"path": "/", "uptime": 3}]}
    pushed = instance.push(instance.new_repo(_files(instance, "sick", checks)), app)
    assert pushed.code != 0
    refused = "line 1: healthchecks.web[0] must be one of command, listening, path, uptime"
    assert f" !     Cannot parse app.json: {refused}" in pushed.err
    assert "Building" not in pushed.err


def test_running_checks_asks_the_serving_containers_for_liveness_too(instance: Instance, app: str) -> None:
    assert instance.dokku("ps:rebuild", app).code == 0
    done = instance.dokku("checks:run", app, "web.1")
    assert done.code == 1
    assert "Healthcheck succeeded name='ready'" in done.out
    assert "Failure in name='alive'" in done.err
    assert done.err.endswith(" !     Could not start due to 1 failed checks (web.1)\n")
    assert instance.get(app) == (200, "healthy")


def test_one_type_is_restarted_while_the_others_run_on(instance: Instance, app: str) -> None:
    assert instance.dokku("ps:scale", app, "worker=1").code == 0
    web, worker = ((instance.root / app / f"CONTAINER.{one}.1").read_text() for one in ("web", "worker"))

    done = instance.dokku("ps:restart", app, "worker")

    assert done.code == 0, done
    assert (instance.root / app / "CONTAINER.web.1").read_text() == web
    assert (instance.root / app / "CONTAINER.worker.1").read_text() != worker
    assert web.strip() in instance.containers(app, "status=running")
    assert instance.get(app) == (200, "healthy")
    refused = instance.dokku("ps:restart", app, "clock")
    assert (refused.code, refused.err) == (1, f" !     Invalid process type specified ({app}.clock)\n")
    assert instance.dokku("ps:scale", app, "worker=0").code == 0


def test_a_deploy_that_is_interrupted_while_containers_are_checked_leaves_the_old_ones(
    instance: Instance,
) -> None:
    """CRS-3"""
    name = instance.name("patient")
    assert instance.push(instance.new_repo(instance.sample("patient", Procfile=PROCFILE)), name).code == 0
    before = instance.containers(name)
    assert instance.dokku("checks:set", name, "default-wait", "3600").code == 0
    assert instance.dokku("ps:scale", "--skip-deploy", name, "worker=3").code == 0

    argv = [str(instance.place / "bin/dokku"), "ps:restart", name, "worker"]
    waiting = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert waiting.stdout is not None
    said = next(line for line in waiting.stdout if "to be ready" in line)
    waiting.send_signal(signal.SIGTERM)
    waiting.stdout.read()

    assert waiting.wait(timeout=300) == 128 + signal.SIGTERM
    assert said == "       Waiting for worker.1, worker.2, worker.3 to be ready ...\n"
    assert instance.containers(name) == before
    assert instance.get(name) == (200, "patient")
    assert instance.dokku("apps:destroy", "--force", name).code == 0


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_a_slow_starter_is_replaced_without_a_dropped_request(instance: Instance) -> None:
    name = instance.name("slow")
    checks = {"web": [{"path": "/", "content": "slow", "attempts": 60, "wait": 1}]}
    repo = instance.new_repo(_files(instance, "slow mark", checks, serve=SLOW))
    assert instance.push(repo, name).code == 0
    with Load(instance, name, "slow mark") as load:
        instance.commit(repo, {"www/other.html": "x"})
        pushed = instance.push(repo, name)
        scaled = instance.dokku("ps:scale", name, "web=2")
    assert pushed.code == 0, pushed
    assert "Attempt 1/60 of name='path /': " in pushed.err
    assert scaled.code == 0, scaled
    assert load.outcome.requests > 100
    assert (load.outcome.failed, load.outcome.wrong) == (0, 0)
    assert instance.dokku("apps:destroy", "--force", name).code == 0

"""An app's processes on real docker: types, scaling, stopping, restoring, retiring."""

import contextlib
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.conftest import Instance, wait_for

PROCFILE = "web: /app/serve\nworker: sh -c 'echo at work; exec sleep 1000'\n"


@pytest.fixture(scope="module")
def app(instance: Instance) -> Iterator[str]:
    """A deployed app with a web and a worker type; its worker is not scaled up."""
    name = instance.name("procs")
    repo = instance.new_repo(instance.sample("at your service", Procfile=PROCFILE))
    pushed = instance.push(repo, name)
    assert pushed.code == 0, pushed
    yield name
    assert instance.dokku("apps:destroy", "--force", name).code == 0
    assert instance.containers(name) == []


@pytest.fixture(autouse=True)
def _as_deployed(instance: Instance, app: str) -> None:
    """Every test finds one web container that serves."""
    if "web=1\n" not in (instance.root / app / "DOKKU_SCALE").read_text() or not _serving(instance, app):
        assert instance.dokku("ps:scale", app, "web=1", "worker=0").code == 0
        assert instance.dokku("ps:start", app).code == 0


def _serving(instance: Instance, app: str) -> bool:
    return instance.get(app) == (200, "at your service")


def _rows(instance: Instance, app: str) -> dict[str, str]:
    lines = instance.dokku("--quiet", "ps:report", app).out.splitlines()
    return {label.strip(): value.strip() for label, _, value in (line.partition(":") for line in lines)}


def _running(instance: Instance, app: str) -> set[str]:
    names = instance.docker(
        "container", "ls", "--format={{.Names}}", f"--filter=label=com.dokku.app-name={app}"
    )
    return {name.removeprefix(f"{app}.") for name in names.split()}


def test_types_of_the_procfile_are_started_as_often_as_asked(instance: Instance, app: str) -> None:
    scaled = instance.dokku("ps:scale", app, "web=2", "worker=1")

    assert scaled.code == 0, scaled
    assert {"web.1", "web.2", "worker.1"} <= _running(instance, app)
    rows = _rows(instance, app)
    assert (rows["Processes"], rows["Running"], rows["Deployed"]) == ("3", "true", "true")
    assert all(rows[f"Status {one}"].startswith("running (CID: ") for one in ("web 1", "web 2", "worker 1"))
    assert _serving(instance, app)
    command = instance.docker(
        "inspect", "--format={{json .Config.Cmd}} {{json .Config.Env}}", f"{app}.worker.1"
    )
    assert "echo at work" in command
    assert '"DYNO=worker.1"' in command
    assert '"PORT=' not in command


def test_an_app_scaled_to_nothing_has_no_containers_registered(instance: Instance, app: str) -> None:
    assert instance.dokku("ps:scale", app, "web=0", "worker=0").code == 0

    assert list((instance.root / app).glob("CONTAINER.*")) == []
    assert instance.get(app).status != 200
    assert _rows(instance, app)["Running"] == "false"


def test_a_type_that_the_procfile_does_not_have_is_refused(instance: Instance, app: str) -> None:
    done = instance.dokku("ps:scale", app, "clock=1")
    assert (done.code, done.err) == (1, " !     clock is not a valid process name to scale up\n")


def test_a_restart_puts_new_containers_in_place_of_the_old(instance: Instance, app: str) -> None:
    before = (instance.root / app / "CONTAINER.web.1").read_text()

    done = instance.dokku("ps:restart", app)

    assert done.code == 0, done
    assert (instance.root / app / "CONTAINER.web.1").read_text() != before
    assert _serving(instance, app)


def test_a_stopped_app_is_down_until_it_is_started(instance: Instance, app: str) -> None:
    assert instance.dokku("ps:scale", app, "worker=1").code == 0
    stopped = instance.dokku("ps:stop", app)

    assert stopped.code == 0, stopped
    assert stopped.out.startswith(f"Stopping {app}\n")
    assert _running(instance, app) == set()
    assert instance.get(app).status != 200
    assert (_rows(instance, app)["Running"], _rows(instance, app)["Restore"]) == ("false", "false")
    assert instance.dokku("config:set", app, "A=1").code == 0
    assert _running(instance, app) == set(), "a change of config does not start it"

    started = instance.dokku("ps:start", app)

    assert started.code == 0, started
    assert _serving(instance, app)
    assert _rows(instance, app)["Restore"] == "true"
    again = instance.dokku("ps:start", app)
    assert (again.code, f" !     App {app} already running" in again.err) == (0, True)


def test_an_app_with_one_container_down_runs_mixed_and_is_released_by_a_start(
    instance: Instance, app: str
) -> None:
    assert instance.dokku("ps:scale", app, "worker=1").code == 0
    instance.docker("stop", "--time=1", f"{app}.worker.1")
    assert _rows(instance, app)["Running"] == "mixed"
    assert _rows(instance, app)["Status worker 1"].startswith("exited (CID: ")

    started = instance.dokku("ps:start", app)

    assert " !     App is running in mixed mode, releasing" in started.err
    assert _rows(instance, app)["Running"] == "true"


def test_inspecting_shows_every_container_without_its_secrets(instance: Instance, app: str) -> None:
    assert instance.dokku("config:set", app, "SECRET=hunter2").code == 0
    id_ = (instance.root / app / "CONTAINER.web.1").read_text().strip()

    done = instance.dokku("ps:inspect", app)

    assert id_ in [container["Id"] for container in json.loads(done.out)]
    assert done.out.count(id_) == 6
    assert "hunter2" not in done.out
    assert "SECRET=XXXXXX" in done.out


def test_replaced_containers_are_gone_once_their_time_is_over(instance: Instance, app: str) -> None:
    """LEAK-4"""
    assert instance.dokku("checks:set", app, "wait-to-retire", "2").code == 0
    old = (instance.root / app / "CONTAINER.web.1").read_text().strip()
    assert instance.dokku("ps:restart", app).code == 0
    assert old in instance.containers(app, "status=running")

    time.sleep(2)
    done = instance.dokku("ps:retire")

    assert done.code == 0, done
    assert old not in instance.containers(app)
    assert _serving(instance, app)
    assert instance.dokku("checks:set", app, "wait-to-retire").code == 0


def test_restoring_a_running_app_twice_changes_nothing(instance: Instance, app: str) -> None:
    """RBT-1"""
    before = (
        instance.containers(app, "status=running"),
        (instance.root / app / "nginx.conf").stat().st_mtime_ns,
    )
    for _ in range(2):
        assert instance.dokku("ps:restore", app).code == 0
    after = (
        instance.containers(app, "status=running"),
        (instance.root / app / "nginx.conf").stat().st_mtime_ns,
    )
    assert after == before


def test_restoring_an_app_whose_container_is_gone_deploys_it_and_stops_no_other(
    instance: Instance, app: str
) -> None:
    """RBT-3, RBT-4"""
    broken = instance.name("broken")
    assert instance.dokku("apps:create", broken).code == 0
    (instance.root / broken / "CONTAINER.web.1").write_text("f" * 64 + "\n")
    instance.docker("rm", "--force", (instance.root / app / "CONTAINER.web.1").read_text().strip())

    done = instance.dokku("ps:restore")

    assert done.code == 1, done
    assert (
        f"Error running restore against app {broken}: App image (dokku/{broken}:latest) not found" in done.err
    )
    assert done.err.endswith(f" !     restore command returned 1 errors\n !     Failed apps: {broken}\n")
    assert _serving(instance, app)
    assert instance.dokku("apps:destroy", "--force", broken).code == 0


def test_a_crash_that_docker_mends_is_followed_by_the_next_restore(instance: Instance, app: str) -> None:
    """RBT-5"""
    id_ = (instance.root / app / "CONTAINER.web.1").read_text().strip()
    instance.docker("kill", id_)
    instance.docker(
        "run", "--detach", "--rm", f"--name={instance.name('taker')}", "dokku-test/busybox", "sleep", "60"
    )
    try:
        done = instance.dokku("ps:restore", app)
        assert done.code == 0, done
        assert _serving(instance, app)
        assert (instance.root / app / "CONTAINER.web.1").read_text().strip() == id_
    finally:
        instance.docker("rm", "--force", instance.name("taker"))


def test_a_source_with_a_scale_file_rules_the_counts(instance: Instance) -> None:
    name = instance.name("ruled")
    repo = instance.new_repo(instance.sample("ruled", Procfile=PROCFILE, DOKKU_SCALE="web=1\nworker=2\n"))
    pushed = instance.push(repo, name)

    assert pushed.code == 0, pushed
    assert "DOKKU_SCALE file exists" in pushed.err
    assert _running(instance, name) == {"web.1", "worker.1", "worker.2"}
    refused = instance.dokku("ps:scale", name, "worker=1")
    assert refused.err == f" !     App {name} contains DOKKU_SCALE file and cannot be manually scaled\n"
    assert instance.dokku("ps:report", name, "--ps-can-scale").out == "false\n"

    (repo / "DOKKU_SCALE").unlink()
    broken = {"Procfile": "web: /app/nothing\nclock: sleep 9\n", "CHECKS": "WAIT=0\nATTEMPTS=1\n/ ruled\n"}
    instance.commit(repo, broken)
    assert instance.push(repo, name).code != 0
    assert instance.dokku("ps:restart", name).code == 0, "by the Procfile of the version that serves"
    assert instance.get(name) == (200, "ruled")
    assert instance.dokku("--quiet", "ps:scale", name).out.split() == ["web:", "1", "worker:", "2"]
    assert instance.dokku("ps:report", name, "--ps-can-scale").out == "false\n"
    assert instance.dokku("apps:destroy", "--force", name).code == 0


def test_a_rebuild_builds_the_pushed_source_again(instance: Instance, app: str) -> None:
    before = (instance.root / app / "CONTAINER.web.1").read_text()
    done = instance.dokku("ps:rebuild", app)
    assert done.code == 0, done
    assert f"Building {app} from Dockerfile" in done.out
    assert (instance.root / app / "CONTAINER.web.1").read_text() != before
    assert _serving(instance, app)


def test_logs_come_from_every_container_and_follow_until_the_reader_leaves(
    instance: Instance, app: str
) -> None:
    assert instance.dokku("ps:scale", app, "worker=1").code == 0
    wait_for(lambda: "at work" in instance.dokku("logs", app, "-p", "worker").out, 20)
    both = instance.dokku("logs", app).out
    assert f"{app}[web.1]:\x1b[0m listening on 5000" in both
    assert f"{app}[worker.1]:\x1b[0m at work" in both
    assert instance.dokku("logs", "-q", "-n", "1", "-p", "worker.1", app).out == "at work\n"
    over_ssh = instance.ssh("logs", app, "-q", "-p", "web")
    assert (over_ssh.code, over_ssh.out) == (0, "listening on 5000\n")


def test_following_logs_over_ssh_sees_new_lines_and_ends_with_the_connection(
    instance: Instance, app: str
) -> None:
    id_ = (instance.root / app / "CONTAINER.web.1").read_text().strip()
    argv = [*instance.ssh_argv(), "root@127.0.0.1", "logs", "-t", "-n", "0", "-q", app]
    client = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert client.stdout is not None
    heard = client.stdout.fileno()

    def knock() -> bool:
        instance.docker("exec", id_, "sh", "-c", "echo somebody knocked >/proc/1/fd/1")
        return bool(select.select([heard], [], [], 0.5)[0])

    try:
        wait_for(knock, 30)
        assert os.read(heard, 17) == b"somebody knocked\n"
        assert _readers(id_)
    finally:
        client.kill()
        client.wait()
    wait_for(lambda: not _readers(id_), 20)


def _readers(id_: str) -> list[str]:
    """The processes that follow a container's output: docker's client, and who started it."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if b"--follow" in words and id_.encode() in words:
                found.append(entry.name)
    return found

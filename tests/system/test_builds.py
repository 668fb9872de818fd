"""Builds on record, and builds that are cancelled: over a real sshd, with a real docker."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.conftest import BASE_IMAGE, Instance, wait_for

SILENT, CHATTY = "sleep 300", "while :; do echo and on and on; done"


def slow(instance: Instance, app: str, step: str = SILENT) -> dict[str, str]:
    """The files of an app whose build gets stuck in a step that names the app."""
    lines = [f"FROM {BASE_IMAGE}", f"RUN : {app}; echo under way; {step}"]
    return instance.sample(Dockerfile="\n".join([*lines, ""]))


def steps(instance: Instance, app: str) -> list[str]:
    """The containers in which docker takes steps of an app's build, which have no label of ours."""
    listing = instance.docker("container", "ls", "--all", "--no-trunc", "--format={{.ID}} {{.Command}}")
    return [line.split()[0] for line in listing.splitlines() if f": {app};" in line]


def builds(instance: Instance, app: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(instance.dokku("builds:list", app, "--format", "json").out)
    return found


def outcomes(instance: Instance, app: str) -> list[object]:
    return [build["outcome"] for build in builds(instance, app)]


def output(instance: Instance, app: str) -> str:
    return instance.dokku("builds:output", app).out


def below(pid: int, name: str) -> int:
    """The process of a program below another process."""
    listing = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listing.splitlines()]
    known = {pid}
    for child, parent, program in sorted(rows, key=lambda row: int(row[0])):
        if int(parent) in known:
            known.add(int(child))
            if program.strip() == name:
                return int(child)
    raise AssertionError(f"no {name} below {pid}")


def record(instance: Instance, app: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((instance.lib / "data/builds" / app / "1.json").read_text())
    return found


def interrupt(_instance: Instance, _app: str, push: subprocess.Popen[bytes]) -> None:
    push.send_signal(signal.SIGINT)


def kill_client(_instance: Instance, _app: str, push: subprocess.Popen[bytes]) -> None:
    os.kill(below(push.pid, "ssh"), signal.SIGKILL)


def terminate_server(instance: Instance, app: str, _push: subprocess.Popen[bytes]) -> None:
    os.kill(int(str(record(instance, app)["pid"])), signal.SIGTERM)


def cancel(instance: Instance, app: str, _push: subprocess.Popen[bytes]) -> None:
    assert instance.ssh("builds:cancel", app).out == f"-----> Cancelled build 1 of {app}\n"


@pytest.mark.parametrize(
    ("how", "step"),
    [
        (interrupt, SILENT),
        (kill_client, SILENT),
        (kill_client, CHATTY),
        (terminate_server, SILENT),
        (cancel, SILENT),
    ],
    ids=[
        "interrupted",
        "client killed",
        "client of much output killed",
        "server terminated",
        "builds:cancel",
    ],
)
def test_a_cancelled_push_ends_its_build_within_ten_seconds_and_leaves_nothing(
    instance: Instance, how: Callable[[Instance, str, subprocess.Popen[bytes]], None], step: str
) -> None:
    """CRS-3, LEAK-6"""
    app = instance.name(f"{how.__name__.replace('_', '-')}{len(step)}")
    repo = instance.new_repo(slow(instance, app, step))
    push = instance.push_in_background(repo, app)
    wait_for(lambda: steps(instance, app) and "under way" in output(instance, app), 120)

    how(instance, app, push)

    wait_for(lambda: not steps(instance, app), 10)
    wait_for(lambda: instance.dokku("apps:locked", app).code != 0, 10)
    push.communicate(timeout=60)
    assert push.returncode != 0
    wait_for(lambda: left_by_git(instance, app) == [], 10)
    assert outcomes(instance, app) == ["cancelled"]
    assert output(instance, app).endswith("\n !     Cancelled (SIGTERM)\n")
    assert (instance.containers(app), instance.images(app)) == ([], [])
    assert sorted(os.listdir(instance.lib / "tmp")) == ["locks"]

    instance.commit(repo, instance.sample("after all"))
    pushed = instance.push(repo, app)
    assert pushed.code == 0, pushed
    assert instance.get(app) == (200, "after all")
    assert outcomes(instance, app) == ["cancelled", "succeeded"]


def left_by_git(instance: Instance, app: str) -> list[str]:
    return [name for name in os.listdir(instance.root / app / "objects") if "incoming" in name]


def test_a_cancelled_push_leaves_the_old_version_as_it_was(instance: Instance) -> None:
    """RUN-8"""
    app = instance.name("before")
    repo = instance.new_repo(instance.sample("one"))
    assert instance.push(repo, app).code == 0
    before = instance.containers(app), instance.images(app)
    instance.commit(repo, slow(instance, app))
    push = instance.push_in_background(repo, app)
    wait_for(lambda: steps(instance, app), 120)

    kill_client(instance, app, push)

    wait_for(lambda: outcomes(instance, app)[-1] == "cancelled", 10)
    push.communicate(timeout=60)
    assert instance.get(app) == (200, "one")
    assert (instance.containers(app), instance.images(app)) == before


def test_whoever_runs_a_command_may_leave_and_the_command_finishes_its_work(instance: Instance) -> None:
    """RUN-8"""
    app = instance.name("leave")
    repo = instance.new_repo(instance.sample("one"))
    assert instance.push(repo, app).code == 0
    argv = [str(instance.place / "bin/dokku"), "ps:rebuild", app]
    rebuild = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert rebuild.stdout is not None
    rebuild.stdout.readline()
    rebuild.stdout.close()

    assert rebuild.wait(timeout=120) == 0
    assert outcomes(instance, app) == ["succeeded", "succeeded"]
    assert "Application deployed:" in output(instance, app)


def test_output_streams_to_the_pusher_and_is_kept(instance: Instance) -> None:
    app = instance.name("builds-kept")
    repo = instance.new_repo(instance.sample("one"))

    pushed = instance.push(repo, app)

    seen = [line.removeprefix("remote: ").strip() for line in pushed.err.splitlines()]
    kept = [line.strip() for line in output(instance, app).splitlines() if line.strip()]
    assert len(kept) > 10
    assert [line for line in kept if line not in seen] == []
    (build,) = builds(instance, app)
    head = instance.git(repo, "rev-parse", "HEAD").out.strip()
    assert (build["number"], build["builder"], build["user"]) == (1, "dockerfile", "tester")
    assert (build["outcome"], build["revision"]) == ("succeeded", head)
    assert mode(instance.lib / "data/builds" / app / "1.log") == 0o600


def test_a_build_can_be_followed_from_elsewhere_to_its_end(instance: Instance) -> None:
    app = instance.name("followed")
    step = "until [ -e /go ]; do sleep 0.1; done; echo the very end; exit 3"
    push = instance.push_in_background(instance.new_repo(slow(instance, app, step)), app)
    wait_for(lambda: "under way" in output(instance, app), 120)
    assert outcomes(instance, app) == ["running"]
    argv = [*instance.ssh_argv(), "root@127.0.0.1", "builds:output", app, "--follow"]
    follower = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert follower.stdout is not None
    first = next(line for line in follower.stdout if "under way" in line and "RUN" not in line)

    instance.docker("container", "exec", steps(instance, app)[0], "touch", "/go")

    rest = follower.stdout.read()
    push.communicate(timeout=60)
    assert first == "under way\n"
    assert "the very end\n" in rest
    assert follower.wait(timeout=30) == 0
    assert output(instance, app).endswith(rest)
    assert outcomes(instance, app) == ["failed"]


def test_a_build_that_was_killed_is_found_out(instance: Instance) -> None:
    """CRS-2, ENV-3"""
    app = instance.name("builds-killed")
    repo = instance.new_repo(instance.sample("one"))
    instance.set_environment(DOKKU_TEST_FAILPOINT="built:kill9")
    assert instance.push(repo, app).code != 0
    instance.set_environment()

    assert outcomes(instance, app) == ["killed"]
    assert "Building" in output(instance, app)
    assert instance.dokku("builds:cancel", app).code == 1
    assert instance.push(repo, app).code == 0
    assert outcomes(instance, app) == ["killed", "succeeded"]


def test_records_follow_an_app_to_its_new_name_and_go_with_it(instance: Instance) -> None:
    old, copy, new = (instance.name(name) for name in ("old", "copy", "new"))
    assert instance.push(instance.new_repo(instance.sample("one")), old).code == 0
    assert instance.dokku("apps:clone", "--skip-deploy", old, copy).code == 0
    assert builds(instance, copy) == []
    assert instance.dokku("apps:rename", "--skip-deploy", old, new).code == 0
    assert outcomes(instance, new) == ["succeeded"]
    assert not (instance.lib / "data/builds" / old).exists()
    assert instance.dokku("--force", "apps:destroy", new).code == 0
    assert not (instance.lib / "data/builds" / new).exists()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777

"""Releases on a whole system: rollbacks under load, what is kept, and what a kill leaves."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from tests.system.conftest import Instance
from tests.system.load import Load


def releases(instance: Instance, app: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(instance.dokku("releases:list", app, "--format=json").out)
    return found


def serving(instance: Instance, app: str) -> int:
    (number,) = [release["number"] for release in releases(instance, app) if release["serves"]]
    return int(number)


def outcomes(instance: Instance, app: str) -> list[str]:
    return [release["outcome"] for release in releases(instance, app)]


def deployed(instance: Instance, name: str, versions: int, **more: str) -> tuple[str, Path]:
    """An app with so many versions, the last of which serves, and its work tree."""
    app = instance.name(name)
    assert instance.dokku("apps:create", app).code == 0
    assert instance.dokku("releases:set", app, "keep", "9").code == 0
    repo = instance.new_repo({})
    instance.set_environment(DOKKU_WAIT_TO_RETIRE="0")
    for version in range(1, versions + 1):
        instance.commit(repo, instance.sample(f"page {version}", **more))
        pushed = instance.push(repo, app)
        assert pushed.code == 0, pushed.err
    instance.set_environment()
    assert instance.dokku("ps:retire").code == 0
    return app, repo


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_a_rollback_and_the_way_forward_drop_no_request_and_build_nothing(instance: Instance) -> None:
    app, repo = deployed(instance, "back", 5)
    tip = instance.git(repo, "rev-parse", "HEAD").out.strip()
    builds = instance.dokku("builds:list", app).out
    with Load(instance, app, "page") as load:
        before = time.monotonic()
        done = instance.dokku("releases:rollback", app, "v2")
        took = time.monotonic() - before
        assert done.code == 0, done
        assert f"-----> Rolling {app} back to v2\n" in done.out
        assert instance.get(app) == (200, "page 2")
        assert serving(instance, app) == 6
        print(f"a rollback under load took {took:.2f} s")
        assert instance.dokku("releases:rollback", app, "5").code == 0
        assert instance.get(app) == (200, "page 5")
    print(load.outcome)
    assert load.outcome.requests > 100
    assert (load.outcome.failed, load.outcome.wrong) == (0, 0)
    assert instance.dokku("builds:list", app).out == builds
    sixth, seventh = releases(instance, app)[5:]
    assert (sixth["source"], sixth["metadata"], sixth["outcome"]) == ("rollback", "v2", "succeeded")
    assert seventh["revision"] == tip
    assert instance.dokku("config:get", app, "GIT_REV").out == f"{tip}\n"


def test_what_was_gone_back_to_is_what_restarts_and_later_deploys_find(instance: Instance) -> None:
    app, _ = deployed(instance, "stays", 2)
    assert instance.dokku("releases:rollback", app).code == 0
    assert instance.get(app) == (200, "page 1")
    assert instance.dokku("ps:restart", app).code == 0
    assert instance.get(app) == (200, "page 1")
    assert len(releases(instance, app)) == 3  # nothing changed, so no release
    assert serving(instance, app) == 3
    assert instance.dokku("ps:rebuild", app).code == 0  # the branch is where it was
    assert instance.get(app) == (200, "page 2")
    assert [release["source"] for release in releases(instance, app)] == [
        *("git-push", "git-push", "rollback", "ps:rebuild"),
    ]


def test_a_release_is_an_image_with_a_config(instance: Instance) -> None:
    app, _ = deployed(instance, "config", 1)
    assert instance.dokku("config:set", app, "COLOUR=red", "SECRET=hunter2").code == 0
    assert instance.dokku("config:set", app, "COLOUR=blue").code == 0
    assert instance.dokku("config:unset", app, "SECRET").code == 0
    found = releases(instance, app)
    assert [release["source"] for release in found] == [
        "git-push",
        "config:set",
        "config:set",
        "config:unset",
    ]
    assert len({release["image"] for release in found}) == 1
    assert "SECRET" in found[2]["config"]
    info = instance.dokku("releases:info", app, "v3")
    assert "SECRET" in info.out
    assert "hunter2" not in info.out

    assert instance.dokku("releases:rollback", app, "v2").code == 0
    assert instance.dokku("config:get", app, "COLOUR").out == "blue\n"
    assert instance.dokku("releases:rollback", app, "v2", "--with-config").code == 0
    assert instance.dokku("config:get", app, "COLOUR").out == "red\n"
    assert instance.dokku("config:get", app, "SECRET").out == "hunter2\n"
    (container,) = instance.containers(app, "status=running", f"name=^/{app}.web.1$")
    assert "COLOUR=red" in json.loads(
        instance.docker("container", "inspect", "--format={{json .Config.Env}}", container)
    )
    records = instance.lib / "data/releases" / app
    assert {entry.stat().st_mode & 0o777 for entry in records.iterdir()} == {0o600}
    assert records.stat().st_mode & 0o777 == 0o700


def test_a_rollback_whose_checks_fail_leaves_everything_as_it_was(instance: Instance) -> None:
    app, _ = deployed(instance, "failing", 1)
    assert instance.dokku("config:set", "--no-restart", app, "WORKS=1").code == 0
    repo = instance.new_repo(
        instance.sample(
            "page 2",
            serve='#!/bin/sh\n[ -n "$WORKS" ] || exit 1\n' + ("exec httpd -f -p ${PORT:-5000} -h /www\n"),
        )
    )
    assert instance.push(repo, app).code == 0
    assert instance.dokku("releases:rollback", app, "v1").code == 0
    assert instance.dokku("config:unset", "--no-restart", app, "WORKS").code == 0
    image = instance.docker("image", "inspect", "--format={{.Id}}", f"dokku/{app}:latest")
    config = instance.dokku("config:show", app).out

    failed = instance.dokku("releases:rollback", app, "v2")

    assert failed.code == 1
    assert instance.get(app) == (200, "page 1")
    assert instance.docker("image", "inspect", "--format={{.Id}}", f"dokku/{app}:latest") == image
    assert instance.dokku("config:show", app).out == config
    assert outcomes(instance, app)[-1] == "failed"
    assert serving(instance, app) == 3
    assert releases(instance, app)[-1]["image"] == ""
    assert instance.dokku("releases:rollback", app, "v2", "--with-config").code == 0
    assert instance.get(app) == (200, "page 2")

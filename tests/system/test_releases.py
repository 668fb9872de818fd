"""Releases on a whole system: rollbacks under load, what is kept, and what a kill leaves."""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from tests.system import herokuish
from tests.system.conftest import BASE_IMAGE, Instance, wait_for
from tests.system.load import Load

STAGES = [
    "release-begun",
    "release-held",
    "containers-noted",
    "journal-written",
    "switched",
    "release-ending",
]


def releases(instance: Instance, app: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(instance.dokku("releases:list", app, "--format=json").out)
    return found


def serving(instance: Instance, app: str) -> int:
    (number,) = [release["number"] for release in releases(instance, app) if release["serves"]]
    return int(number)


def images_after_cleanup(instance: Instance, app: str) -> int:
    """How many images an app has. Docker prunes for one caller at a time, and others deploy beside us."""
    assert instance.dokku("cleanup", app).code == 0
    return len(instance.images(app))


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
    """ZDT-6"""
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
    app, repo = deployed(instance, "stays", 2)
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
    tip = instance.dokku("config:get", app, "GIT_REV").out
    instance.commit(repo, instance.sample("page 3", DOKKU_SCALE="web=2\n"))
    instance.set_environment(DOKKU_TEST_FAILPOINT="checked:kill9")
    assert instance.push(repo, app).code != 0
    instance.set_environment()
    restarted = instance.dokku("ps:restart", app)
    assert "v5 of stays was killed before it served, putting v4 back" in restarted.out.replace(app, "stays")
    assert instance.get(app) == (200, "page 2"), "what was killed has never been a version of the app"
    assert instance.dokku("config:get", app, "GIT_REV").out == tip
    assert instance.dokku("ps:report", app, "--ps-can-scale").out == "true\n"
    assert (serving(instance, app), outcomes(instance, app)[4:]) == (4, ["killed"])


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


def test_a_release_whose_image_somebody_deleted_is_refused_and_nothing_changes(instance: Instance) -> None:
    app, _ = deployed(instance, "deleted", 2)
    instance.docker("image", "rm", "--force", f"dokku/{app}:release-v1")
    state = (instance.containers(app), instance.images(app), instance.dokku("config:show", app).out)
    known = releases(instance, app)

    refused = instance.dokku("releases:rollback", app, "v1", "--with-config")

    assert (refused.out, refused.code) == ("", 1)
    assert refused.err.splitlines()[0] == f" !     The image of release v1 of {app} is gone"
    now = (instance.containers(app), instance.images(app), instance.dokku("config:show", app).out)
    assert now == state
    assert releases(instance, app) == known
    assert instance.get(app) == (200, "page 2")


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


def test_images_of_releases_survive_cleanup_as_long_as_they_are_kept(instance: Instance) -> None:
    """LEAK-2"""
    app, repo = deployed(instance, "rollback-kept", 3)
    instance.set_environment(DOKKU_WAIT_TO_RETIRE="0")
    assert instance.dokku("cleanup", app).code == 0
    assert len(instance.images(app)) == 3
    assert instance.dokku("releases:set", app, "keep", "2").code == 0
    more = {
        "Dockerfile": instance.sample()["Dockerfile"] + "RUN dd if=/dev/zero of=/large bs=1024 count=2048\n"
    }
    instance.commit(repo, instance.sample("page 4", **more))
    assert instance.push(repo, app).code == 0
    instance.commit(repo, instance.sample("page 5"))
    assert instance.push(repo, app).code == 0
    instance.commit(repo, instance.sample("page 6"))
    pushed = instance.push(repo, app)
    instance.set_environment()
    assert "Removed images that are no longer needed, " in pushed.err
    assert instance.dokku("ps:retire").code == 0
    wait_for(lambda: images_after_cleanup(instance, app) == 2, 60)
    assert [bool(release["image"]) for release in releases(instance, app)] == [False] * 4 + [True] * 2
    refused = instance.dokku("releases:rollback", app, "v1")
    assert refused.err == f" !     The image of release v1 of {app} is no longer kept, see releases:set\n"
    assert instance.dokku("--force", "apps:destroy", app).code == 0
    assert instance.images(app) == []
    assert not (instance.lib / "data/releases" / app).exists()


@pytest.mark.parametrize("stage", [*STAGES, "put-back"])
def test_a_killed_rollback_leaves_a_version_serving_that_is_marked_and_the_next_deploy_works(
    instance: Instance, stage: str
) -> None:
    """CRS-2"""
    app, repo = deployed(instance, f"killed-{stage}", 2)
    instance.set_environment(DOKKU_TEST_FAILPOINT=f"{stage}:kill9", DOKKU_WAIT_TO_RETIRE="0")
    assert instance.dokku("releases:rollback", app, "v1").code != 0
    instance.set_environment()

    page = instance.get(app)
    assert page.status == 200
    has_switched = stage in ("switched", "release-ending")
    has_pointers = has_switched or stage == "journal-written"
    assert page.body == ("page 1" if has_switched else "page 2")
    if stage != "put-back":
        assert outcomes(instance, app)[2:] == ["incomplete" if has_pointers else "killed"]
    assert serving(instance, app) == (3 if has_pointers else 2)

    instance.commit(repo, instance.sample("page 3"))
    instance.set_environment(DOKKU_WAIT_TO_RETIRE="0")
    assert instance.dokku("releases:set", app, "keep", "1").code == 0
    pushed = instance.push(repo, app)
    instance.set_environment()
    assert pushed.code == 0, pushed
    assert instance.get(app) == (200, "page 3")
    assert instance.dokku("ps:retire").code == 0
    assert len(instance.containers(app)) == 1
    wait_for(lambda: images_after_cleanup(instance, app) == 1, 60)
    assert sorted(os.listdir(instance.lib / "tmp")) == ["locks"]


def test_a_renamed_app_has_its_history_and_goes_back_beyond_its_new_name(instance: Instance) -> None:
    app, _ = deployed(instance, "rollback-renamed", 2)
    assert instance.dokku("config:set", "--no-restart", app, "AT=v2").code == 0
    new = instance.name("renamed-too")
    assert instance.dokku("apps:rename", app, new, env={"DOKKU_WAIT_TO_RETIRE": "0"}).code == 0
    assert [release["number"] for release in releases(instance, new)] == [1, 2, 3]
    assert serving(instance, new) == 3
    assert instance.images(app) == []

    instance.set_environment(DOKKU_WAIT_TO_RETIRE="0")
    assert instance.dokku("cleanup").code == 0
    back = instance.dokku("releases:rollback", new, "v1", "--with-config")
    assert back.code == 0, back
    assert instance.get(new) == (200, "page 1")
    assert instance.dokku("config:get", new, "AT").code == 1
    assert instance.dokku("releases:set", new, "keep", "1").code == 0
    assert instance.dokku("ps:restart", new).code == 0
    assert instance.dokku("config:set", new, "AT=v5").code == 0
    instance.set_environment()
    assert instance.dokku("ps:retire").code == 0
    wait_for(lambda: images_after_cleanup(instance, new) == 1, 60)
    assert instance.dokku("apps:destroy", "--force", new).code == 0
    assert instance.images(new) == []


def test_what_a_task_leaves_in_an_image_belongs_to_the_release(instance: Instance) -> None:
    scripts = json.dumps({"scripts": {"dokku": {"predeploy": "cp /app/www/index.html /www/made"}}})
    app, _ = deployed(instance, "rollback-tasks", 2, **{"app.json": scripts, "Procfile": "web: /app/serve\n"})
    assert instance.get(app, "/made").body == "page 2"
    before = instance.docker("image", "inspect", "--format={{len .RootFS.Layers}}", f"dokku/{app}:latest")
    assert instance.dokku("ps:restart", app).code == 0
    assert len(releases(instance, app)) == 2
    back = instance.dokku("releases:rollback", app, "v1")
    assert back.code == 0, back
    assert instance.get(app) == (200, "page 1")
    assert instance.get(app, "/made").body == "page 1"
    assert instance.dokku("releases:rollback", app).code == 0
    assert instance.get(app, "/made").body == "page 2"
    after = instance.docker("image", "inspect", "--format={{len .RootFS.Layers}}", f"dokku/{app}:latest")
    assert after == before


def test_a_release_made_with_buildpacks_comes_back_with_the_config_that_its_image_holds(
    instance: Instance,
) -> None:
    app = instance.name("buildpacks")
    assert instance.dokku("apps:create", app).code == 0
    assert instance.dokku("releases:set", app, "keep", "9").code == 0
    stack = herokuish.image(BASE_IMAGE)
    assert instance.dokku("buildpacks:set-property", app, "stack", stack).code == 0
    assert instance.dokku("config:set", app, "DOKKU_DEFAULT_CHECKS_WAIT=1", "COLOUR=red").code == 0
    repo = instance.new_repo({"www/index.html": "one"})
    assert instance.push(repo, app).code == 0
    instance.commit(repo, {"www/index.html": "two"})
    assert instance.push(repo, app).code == 0
    assert instance.dokku("config:set", app, "COLOUR=blue").code == 0
    assert instance.dokku("ps:restart", app).code == 0
    assert len(releases(instance, app)) == 3

    assert instance.dokku("releases:rollback", app, "v1").code == 0
    assert (instance.get(app).body, instance.get(app, "/colour").body) == ("one", "blue\n")
    assert instance.dokku("releases:rollback", app, "v2", "--with-config").code == 0
    assert (instance.get(app).body, instance.get(app, "/colour").body) == ("two", "red\n")

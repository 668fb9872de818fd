"""kill -9 at every stage of a deploy: the old version serves on, and the next push needs no help."""

import json
import os

import pytest

from tests.system.conftest import Instance

STAGES = [
    "predeploy",
    "release-task",
    "checked-out",
    "built",
    "tagged",
    "created",
    "started",
    "checked",
    "journal-written",
    "pointers-written",
    "vhost-written",
    "switched",
    "retired",
    "postdeploy",
]


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_deploy_leaves_the_old_version_serving_and_the_next_one_cleans_up(
    instance: Instance, stage: str
) -> None:
    """CRS-2, ENV-3"""
    app = instance.name(f"kill-{stage}")
    scripts = json.dumps({"scripts": {"dokku": {"predeploy": "touch /made", "postdeploy": "true"}}})
    tasks = {"Procfile": "web: /app/serve\nrelease: true\n", "app.json": scripts}
    more = tasks if stage in ("predeploy", "release-task", "postdeploy") else {}
    repo = instance.new_repo(instance.sample("one", **more))
    assert instance.push(repo, app).code == 0

    instance.commit(repo, instance.sample("two"))
    instance.set_environment(DOKKU_TEST_FAILPOINT=f"{stage}:kill9", DOKKU_WAIT_TO_RETIRE="0")
    killed = instance.push(repo, app)
    instance.set_environment()

    assert killed.code != 0
    allowed = (
        {"two"}
        if stage in ("switched", "retired", "postdeploy")
        else {"one", "two"}
        if stage == "vhost-written"
        else {"one"}
    )
    assert instance.get(app).status == 200
    assert instance.get(app).body in allowed
    for command in ("apps:report", "ps:report", "git:report"):
        assert instance.dokku(command, app).code == 0

    instance.commit(repo, instance.sample("three"))
    instance.set_environment(DOKKU_WAIT_TO_RETIRE="0")
    pushed = instance.push(repo, app)
    instance.set_environment()

    assert pushed.code == 0, pushed
    assert instance.get(app) == (200, "three")
    assert instance.dokku("ps:retire").code == 0
    assert len(instance.containers(app)) == 1
    instance.wait_for_images(app, 1)
    assert sorted(os.listdir(instance.lib / "tmp")) == ["locks"]
    assert not (instance.root / app / "worktrees").exists()
    assert not (instance.lib / "data" / "scheduler-docker-local" / app / "switching.json").exists()


def test_a_killed_deploy_does_not_stand_in_the_way_of_another_app(instance: Instance) -> None:
    """CRS-2"""
    killed, other = instance.name("killed"), instance.name("other")
    repo = instance.new_repo(instance.sample("x"))
    instance.set_environment(DOKKU_TEST_FAILPOINT="started:kill9")
    assert instance.push(repo, killed).code != 0
    instance.set_environment()

    assert instance.push(repo, other).code == 0
    assert instance.get(other) == (200, "x")


def test_a_terminated_deploy_cleans_up_at_once(instance: Instance) -> None:
    """RUN-8, CRS-3"""
    app = instance.name("term")
    repo = instance.new_repo(instance.sample("one"))
    assert instance.push(repo, app).code == 0
    before = instance.containers(app)

    instance.commit(repo, instance.sample("two"))
    instance.set_environment(DOKKU_TEST_FAILPOINT="started:term")
    assert instance.push(repo, app).code != 0
    instance.set_environment()

    assert instance.get(app) == (200, "one")
    assert instance.containers(app) == before
    assert sorted(os.listdir(instance.lib / "tmp")) == ["locks"]


def test_a_destroy_that_was_killed_can_be_repeated(instance: Instance) -> None:
    """CRS-7"""
    app = instance.name("destroyed")
    repo = instance.new_repo(instance.sample("one"))
    assert instance.push(repo, app).code == 0
    instance.set_environment(DOKKU_TEST_FAILPOINT="destroying:kill9")
    assert instance.dokku("--force", "apps:destroy", app).code != 0
    instance.set_environment()

    assert instance.dokku("--force", "apps:destroy", app).code == 0

    assert instance.containers(app) == []
    assert instance.images(app) == []
    assert not (instance.root / app).exists()
    assert instance.get(app).status in (0, 404)

"""receive-app, release-and-deploy and scheduler-deploy: the three doors of a deploy."""

import json
import os

import pytest

from lib.base import properties, settings
from lib.base.errors import DokkuError
from triggers import receive_app, release_and_deploy, scheduler_deploy

APP = "blog"
receive, release, roll_out = (
    receive_app.HANDLERS["git"],
    release_and_deploy.HANDLERS["common"],
    scheduler_deploy.HANDLERS["scheduler-docker-local"],
)


@pytest.fixture(autouse=True)
def story(fs, monkeypatch):
    """What of the deploy is entered."""
    os.makedirs(settings.app_dir(APP))
    entered = []
    for name in ("receive", "release", "roll_out"):
        monkeypatch.setattr(f"lib.deploy.{name}", lambda *words, name=name: entered.append((name, *words)))
    monkeypatch.setattr("lib.base.triggers.ask", lambda *_: "")
    return entered


def image(shell, there):
    found = json.dumps({"Id": "sha256:1", "Config": {}}) + "\n"
    missing = {"err": "Error: No such image: x\n", "status": 1}
    shell.answers("docker image inspect …", found if there else "", **({} if there else missing))


def test_an_app_with_a_repository_is_built(story):
    os.makedirs(os.path.join(settings.app_dir(APP), "refs"))
    receive(APP)
    receive(APP, "abc")
    assert story == [("receive", APP, ""), ("receive", APP, "abc")]


def test_an_app_without_one_is_left_to_plugins(story):
    receive(APP)
    assert story == []


@pytest.mark.parametrize(
    ("words", "handed"),
    [
        ((), ("latest", "")),
        (("",), ("latest", "")),
        (("v2",), ("v2", "")),
        (("v2", "web", "more"), ("v2", "web")),
    ],
)
def test_an_image_is_released(shell, story, words, handed):
    image(shell, there=True)
    release(APP, *words)
    assert story == [("release", APP, *handed)]


def test_an_app_without_an_image_is_left_alone(shell, story):
    image(shell, there=False)
    release(APP)
    assert story == []


def test_a_tag_that_is_not_there_is_a_failure_of_its_own(shell, story):
    image(shell, there=False)
    release(APP, "v2")
    assert story == [("release", APP, "v2", "")]


def test_a_docker_that_is_down_is_no_app_without_an_image(shell, story):
    shell.answers("docker …", err="Cannot connect to the Docker daemon\n", status=1)
    with pytest.raises(DokkuError, match="Unable to reach"):
        release(APP)


@pytest.mark.parametrize(
    ("words", "handed"),
    [((), ("latest", "")), (("",), ("latest", "")), (("v2", "web", "more"), ("v2", "web"))],
)
def test_only_our_own_scheduler_rolls_out(story, words, handed):
    roll_out("nomad", APP, *words)
    assert story == []
    roll_out("docker-local", APP, *words)
    assert story == [("roll_out", APP, *handed)]


def test_a_deployed_app_that_lost_its_image_fails(shell, story):
    image(shell, there=False)
    properties.write("common", APP, "deployed", "true")
    with pytest.raises(DokkuError, match="build it with ps:rebuild"):
        release(APP)
    assert story == []

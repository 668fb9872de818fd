"""docker-args-process-build APP BUILDER: the limits of a build."""

import os

import pytest

from lib.app import network_settings, resources
from lib.base import settings, triggers

APP = "blog"


@pytest.fixture(autouse=True)
def _app(fs):
    os.makedirs(settings.app_dir(APP))


def asked(builder):
    return triggers.ask("docker-args-process-build", APP, builder)


@pytest.mark.parametrize(
    ("builder", "flags"),
    [
        ("herokuish", " --cpus=1 --memory=256m --memory-swap=512m --gpus=2"),
        ("dockerfile", " --memory=256m --memory-swap=512m"),
        ("pack", ""),
        ("nixpacks", ""),
        ("", ""),
    ],
)
def test_a_builder_gets_the_limits_of_type_build_that_it_knows(builder, flags):
    limits = {"cpu": "1", "memory": "256", "memory-swap": "512m", "nvidia-gpu": "2"}
    resources.change(APP, resources.LIMIT, "build", limits)
    resources.change(APP, resources.LIMIT, "", {"memory": "1g"})
    resources.change(APP, resources.RESERVE, "build", {"memory": "128m"})
    assert asked(builder) == flags


def test_limits_of_what_is_deployed_are_not_those_of_a_build():
    resources.change(APP, resources.LIMIT, "", {"memory": "1g"})
    resources.change(APP, resources.RESERVE, "build", {"memory": "128m"})
    assert asked("herokuish") == asked("dockerfile") == ""


@pytest.mark.parametrize("buildkit", ["0", "1"])
def test_a_build_is_on_the_apps_first_network_where_its_builder_can_be(monkeypatch, buildkit):
    monkeypatch.setenv("DOCKER_BUILDKIT", buildkit)
    network_settings.set_(APP, network_settings.INITIAL, ["shared"])
    assert asked("herokuish") == asked("pack") == " --network=shared"
    assert asked("dockerfile") == (" --network=shared" if buildkit == "0" else "")
    assert asked("nixpacks") == asked("railpack") == ""


def test_limits_can_be_left_out(monkeypatch):
    resources.change(APP, resources.LIMIT, "build", {"memory": "1g"})
    assert asked("herokuish") == " --memory=1g"
    monkeypatch.setenv("DOKKU_OMIT_RESOURCE_ARGS", "1")
    assert asked("herokuish") == ""

"""docker-args-process-deploy, docker-args-process-run, resource-get-property: what one process type gets."""

import os
import shlex

import pytest

from lib.app import network_settings, options, resources
from lib.base import settings
from triggers import docker_args_process_deploy, docker_args_process_run, resource_get_property

APP = "blog"


@pytest.fixture(autouse=True)
def app(fs, shell):
    os.makedirs(settings.app_dir(APP))
    for process, cpus in (("", "1"), ("web", "2"), ("run", "3")):
        resources.change(APP, resources.LIMIT, process, {"cpu": cpus})
    resources.change(APP, resources.LIMIT, "", {"memory": "1g"})
    options.add(APP, ["deploy"], "--read-only", "web")


def answers(trigger, *words):
    return "".join(answer(APP, *words) or "" for answer in trigger.HANDLERS.values())


def asked(*place):
    return shlex.split(answers(docker_args_process_deploy, "dockerfile", "latest", *place))


def test_a_container_gets_the_options_and_limits_of_its_type():
    assert asked("web", "1") == ["--read-only", "--cpus=2", "--memory=1g"]
    assert asked("worker", "1") == ["--cpus=1", "--memory=1g"]


def test_a_task_is_not_limited():
    assert asked() == []


def test_limits_can_be_left_out(monkeypatch):
    monkeypatch.setenv("DOKKU_OMIT_RESOURCE_ARGS", "1")
    assert asked("web", "1") == ["--read-only"]


def test_a_one_off_container_has_limits_of_its_own_only():
    said = answers(docker_args_process_run, "dockerfile", "latest")
    assert said == " --cpus=3"
    resources.clear(APP, resources.LIMIT, "run")
    assert answers(docker_args_process_run, "dockerfile", "latest") == ""


def test_containers_are_made_on_the_apps_first_network():
    network_settings.set_(APP, network_settings.INITIAL, ["shared"])
    assert asked("worker", "1")[:2] == ["--network=shared", "--network-alias=blog.worker"]
    assert asked() == ["--network=shared"]
    assert " --network=shared" in answers(docker_args_process_run, "dockerfile", "latest")


def test_plugins_are_told_the_value_of_a_type():
    assert answers(resource_get_property, "web", "limit", "cpu") == "2\n"
    assert answers(resource_get_property, "worker", "limit", "cpu") == "1\n"
    assert answers(resource_get_property, "web", "reserve", "cpu") == "\n"

"""Which scheduler an app has, and how patient it is."""

import os

import pytest

from lib.app import config
from lib.base import settings
from lib.runtime import schedulers

APP = "blog"


@pytest.fixture(autouse=True)
def app(fs):
    os.makedirs(settings.app_dir(APP))


def test_the_scheduler_is_the_apps_else_the_hosts_else_docker_local():
    assert schedulers.selected(APP) == "docker-local"
    config.set_values(config.GLOBAL, {"DOKKU_SCHEDULER": "nomad"})
    assert schedulers.selected(APP) == "nomad"
    config.set_values(APP, {"DOKKU_SCHEDULER": "kubernetes"})
    assert schedulers.selected(APP) == "kubernetes"
    assert not schedulers.is_docker_local("kubernetes")


def test_a_scheduler_set_to_nothing_is_the_default():
    config.set_values(APP, {"DOKKU_SCHEDULER": ""})
    assert schedulers.is_docker_local(schedulers.selected(APP))


@pytest.mark.parametrize(
    ("question", "key", "default"),
    [
        (schedulers.wait_to_retire, "DOKKU_WAIT_TO_RETIRE", 60),
        (schedulers.stop_timeout, "DOKKU_DOCKER_STOP_TIMEOUT", 30),
    ],
)
def test_a_time_is_the_environments_else_the_apps_else_the_hosts(question, key, default, monkeypatch):
    assert question(APP) == default
    config.set_values(config.GLOBAL, {key: "5"})
    assert question(APP) == 5
    config.set_values(APP, {key: "0"})
    assert question(APP) == 0
    monkeypatch.setenv(key, "7")
    assert question(APP) == 7


@pytest.mark.parametrize("text", ["", "-1", "1.5", "soon", "1e3", "٣", " 5", "9" * 30])
def test_a_time_that_is_none_is_the_default(text):
    config.set_values(APP, {"DOKKU_WAIT_TO_RETIRE": text})
    assert schedulers.wait_to_retire(APP) == 60

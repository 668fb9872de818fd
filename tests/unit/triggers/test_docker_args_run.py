"""docker-args-run APP IMAGE_TAG."""

import os
import shlex

import pytest

from lib.app import config, options
from lib.base import settings
from triggers import docker_args_run


@pytest.fixture(autouse=True)
def app(fs):
    os.makedirs(settings.app_dir("blog"))


def answers():
    return "".join(answer("blog", "latest") for answer in docker_args_run.HANDLERS.values())


def test_variables_are_named_and_not_valued():
    config.set_values(config.GLOBAL, {"G": "1"})
    config.set_values("blog", {"B": "hunter2", "A": "x y\n; id"})
    assert answers() == " --env=A --env=B --env=G"


def test_options_of_the_owner_come_after_the_variables():
    config.set_values("blog", {"A": "1"})
    options.add("blog", ["run"], "--memory 64m")
    said = answers()
    assert shlex.split(said) == ["--env=A", "--memory", "64m"]


def test_an_app_with_nothing_set_gets_no_words():
    assert answers() == ""

"""config-export APP GLOBAL MERGED FORMAT."""

import os

import pytest

from lib.app import config
from lib.base import settings
from lib.base.errors import AppNotFound
from triggers import config_export


@pytest.fixture(autouse=True)
def environment_of_both(fs, environment):
    os.makedirs(settings.app_dir("blog"))
    config.set_values(config.GLOBAL, {"G": "1"})
    config.set_values("blog", {"A": "2"})


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("blog", "false", "false", "exports"), "export A='2'\n"),
        (("blog", "false", "true", "docker-args-keys"), "--env=A --env=G\n"),
        (("", "true", "false", "json"), '{"G":"1"}\n'),
        (("blog", "true", "true", "shell"), "G='1' "),
    ],
)
def test_it_answers_as_the_command_prints(args, text):
    assert config_export.HANDLERS["config"](*args) == text


def test_an_app_that_is_not_there_is_refused():
    with pytest.raises(AppNotFound):
        config_export.HANDLERS["config"]("nope", "false", "false", "json")

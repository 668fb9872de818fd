"""config-set [--no-restart] APP [NO_RESTART] KEY=VALUE..."""

import os

import pytest

from lib.app import config
from lib.base import log, properties, settings, triggers
from triggers import config_set

RESTARTING = "-----> Restarting app blog"


@pytest.fixture
def deployed(fs, monkeypatch):
    """A deployed app whose restart does nothing."""
    os.makedirs(settings.app_dir("blog"))
    properties.write("common", "blog", "deployed", "true")
    real = triggers._built_in
    monkeypatch.setattr(triggers, "_built_in", lambda name: {} if name == "app-restart" else real(name))
    return "blog"


@pytest.mark.parametrize(
    ("args", "restarts"),
    [
        (("blog", "A=1"), True),
        (("--no-restart", "blog", "A=1"), False),
        (("blog", "true", "A=1"), False),
        (("blog", "false", "A=1"), True),
    ],
)
def test_it_sets_and_restarts_unless_told_not_to(deployed, args, restarts):
    with log.collected() as said:
        config_set.HANDLERS["config"](*args)
    assert config.values(deployed) == {"A": "1"}
    assert (f"{RESTARTING}\n".encode() in [data for _, data in said]) == restarts


def test_it_sets_global_variables(fs):
    with log.collected():
        config_set.HANDLERS["config"]("--no-restart", "--global", "A=1", "B=2")
    assert config.values(config.GLOBAL) == {"A": "1", "B": "2"}

"""config-unset APP KEY [RESTART]."""

import os

import pytest

from lib.app import config
from lib.base import log, settings
from lib.base.errors import DokkuError
from triggers import config_unset


def test_it_drops_the_variable(fs):
    os.makedirs(settings.app_dir("blog"))
    config.set_values("blog", {"A": "1", "B": "2"})
    with log.collected():
        config_unset.HANDLERS["config"]("blog", "A", "false")
    assert config.values("blog") == {"B": "2"}


def test_it_drops_global_variables(fs):
    config.set_values(config.GLOBAL, {"A": "1"})
    with log.collected():
        config_unset.HANDLERS["config"]("--global", "A")
    assert config.values(config.GLOBAL) == {}


@pytest.mark.parametrize(("restart", "warned"), [("false", False), ("true", True)])
def test_it_restarts_only_when_told_to(fs, restart, warned):
    os.makedirs(settings.app_dir("blog"))
    with log.collected() as said:
        config_unset.HANDLERS["config"]("blog", "A", restart)
    assert (b" !     App blog has not been deployed\n" in [data for _, data in said]) == warned


def test_no_key_is_refused(fs):
    os.makedirs(settings.app_dir("blog"))
    with pytest.raises(DokkuError, match="At least one key must be given"):
        config_unset.HANDLERS["config"]("blog")

"""config-get-global KEY."""

from lib.app import config
from triggers import config_get_global


def test_it_answers_the_value_without_a_line_end(fs):
    config.set_values(config.GLOBAL, {"A": "1"})
    assert config_get_global.HANDLERS["config"]("A") == "1"


def test_it_answers_nothing_for_what_is_not_set(fs):
    assert config_get_global.HANDLERS["config"]("A") == ""

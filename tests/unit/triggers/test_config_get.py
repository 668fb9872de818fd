"""config-get APP KEY."""

import os

from lib.app import config
from lib.base import settings
from triggers import config_get


def test_it_answers_the_value_without_a_line_end(fs):
    os.makedirs(settings.app_dir("blog"))
    config.set_values("blog", {"A": "1\n2"})
    assert config_get.HANDLERS["config"]("blog", "A") == "1\n2"


def test_it_answers_nothing_for_what_is_not_set(fs):
    os.makedirs(settings.app_dir("blog"))
    assert config_get.HANDLERS["config"]("blog", "A") == ""


def test_it_reads_no_file_for_a_name_that_is_no_app(fs):
    fs.create_file(os.path.join(os.path.dirname(settings.root()), "ENV"), contents="A=1\n")
    assert config_get.HANDLERS["config"]("..", "A") == ""

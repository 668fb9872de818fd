"""How a line becomes a container's command. What a shell makes of it: tests/tools."""

import os

import pytest

from lib.app import config
from lib.base import properties, settings
from lib.base.errors import DokkuError
from lib.build.images import Image
from lib.runtime import commands_in_images

APP = "blog"


def image(kind="dockerfile", entrypoint=()):
    return Image("sha256:1", "dokku/blog:latest", kind, "/app", [], list(entrypoint), "")


@pytest.fixture(autouse=True)
def _app(fs):
    os.makedirs(settings.app_dir(APP))


@pytest.mark.parametrize(
    ("image_", "words"),
    [
        (image("pack", ["/cnb/process/web"]), ["a 'b c' && d"]),
        (image(entrypoint=["/entry", "--"]), ["a", "b c", "&&", "d"]),
    ],
)
def test_a_launcher_gets_the_line_and_an_entrypoint_its_words(image_, words):
    assert commands_in_images.as_script(APP, image_, "a 'b c' && d") == words


def test_an_entrypoint_can_not_get_half_a_quote():
    with pytest.raises(DokkuError, match="Unable to parse"):
        commands_in_images.as_script(APP, image(entrypoint=["/entry"]), "a 'b")


@pytest.mark.parametrize(
    "image_", [image(), image("herokuish", ["/entry"]), image(entrypoint=["/tini", "--"])]
)
def test_everything_else_is_for_a_shell(image_):
    words = commands_in_images.as_script(APP, image_, "a 'b c' && d")
    assert (words[0], words[1], words[-1]) == ("/bin/sh", "-c", "a 'b c' && d")


def test_a_shell_may_be_chosen():
    properties.write("scheduler", APP, "shell", "/bin/ash")
    assert commands_in_images.as_script(APP, image(), "x")[0] == "/bin/ash"
    config.set_values(config.GLOBAL, {"DOKKU_APP_SHELL": "/bin/zsh"})
    assert commands_in_images.as_script(APP, image(), "x")[0] == "/bin/zsh"
    config.set_values(APP, {"DOKKU_APP_SHELL": "/bin/sh"})
    assert commands_in_images.as_script(APP, image(), "x")[0] == "/bin/sh"

"""post-create: what an app has from its first moment."""

import os

import pytest

from lib.base import files, properties, settings, triggers
from lib.base.errors import ToolFailed

APP = "blog"


@pytest.fixture(autouse=True)
def app(fs):
    os.makedirs(settings.app_dir(APP))


def test_an_app_gets_a_repository_a_hook_and_the_settings_of_old_releases(shell):
    triggers.fire("post-create", APP)
    assert shell.ran == [f"git init --quiet --bare --initial-branch=master -- {settings.app_dir(APP)}"]
    assert os.access(os.path.join(settings.app_dir(APP), "hooks/pre-receive"), os.X_OK)
    assert properties.get("network", APP, "bind-all-interfaces") == "false"
    assert files.read(os.path.join(settings.app_dir(APP), "DOKKU_SCALE")) == "web=1\n"


def test_a_failure_is_told(shell):
    shell.answers("git init …", err="fatal: no room\n", status=128)
    with pytest.raises(ToolFailed, match="no room"):
        triggers.fire("post-create", APP)

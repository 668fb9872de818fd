"""post-app-clone and post-app-rename OLD NEW: the new app is deployed, if there is something to deploy."""

import os

import pytest

from lib.base import files, settings
from lib.base.errors import TriggerFailed
from triggers import post_app_clone, post_app_rename

HANDLERS = [post_app_clone.HANDLERS["ps"], post_app_rename.HANDLERS["ps"]]


@pytest.fixture
def rebuilt(shell):
    """The apps that a plugin sees rebuilt; it fails, so that nobody else builds."""
    hook = os.path.join(settings.plugins_enabled(), "00_watch", "receive-app")
    files.replace(hook, "#!/bin/sh\n", mode=0o755)
    os.makedirs(os.path.join(settings.app_dir("new"), "refs"))
    shell.answers(f"{hook} …", status=9)
    return lambda: [line.split()[1] for line in shell.ran if line.startswith(hook)]


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_new_app_with_code_is_rebuilt(shell, rebuilt, handler):
    shell.answers("…git…rev-parse…", "f" * 40 + "\n")
    with pytest.raises(TriggerFailed):
        handler("old", "new")
    assert rebuilt() == ["new"]


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_new_app_without_code_is_left_alone(shell, rebuilt, handler):
    shell.answers("…git…", status=1)
    handler("old", "new")
    assert rebuilt() == []


@pytest.mark.parametrize("handler", HANDLERS)
def test_nothing_is_rebuilt_when_that_is_to_be_skipped(shell, rebuilt, handler, monkeypatch):
    monkeypatch.setenv("SKIP_REBUILD", "true")
    shell.answers("…git…", "f" * 40 + "\n")
    handler("old", "new")
    assert rebuilt() == []

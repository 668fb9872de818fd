"""The settings that git is started with, as git reads them, whatever repository and host say."""

import shutil

import pytest

from lib.base import environment, run, settings
from lib.tools import git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
OURS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.askPass": "",
    "credential.helper": "",
    "protocol.ext.allow": "never",
    "gc.auto": "0",
    "http.followRedirects": "initial",
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "60",
    "fetch.fsckObjects": "true",
    "fetch.recurseSubmodules": "false",
}


@pytest.mark.parametrize("setting", OURS)
def test_no_setting_of_a_repository_or_a_user_goes_before_ours(tmp_path, monkeypatch, setting):
    """GIT-4, GIT-7, GIT-10"""
    bare = str(tmp_path / "bare")
    git.init(bare, "main")
    git.set_config(bare, setting, "/tmp/evil")
    home = tmp_path / "root"
    home.mkdir()
    run.run("git", "config", "--file", str(home / ".gitconfig"), setting, "/tmp/evil")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", setting)
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "/tmp/evil")
    assert settings.root() == str(home)
    said = run.capture("git", f"--git-dir={bare}", "config", setting, env=git.environment())
    assert said.rstrip("\n") == OURS[setting]


def test_nobody_is_asked_and_no_silent_server_is_waited_for(monkeypatch):
    """GIT-4, IO-11"""
    monkeypatch.setenv("SSH_ASKPASS", "/bin/true")
    env = environment.given(git.environment())
    assert env["GIT_TERMINAL_PROMPT"] == "0"
    assert "SSH_ASKPASS" not in env
    for option in ("BatchMode=yes", "ConnectTimeout=", "ServerAliveInterval=", "ServerAliveCountMax="):
        assert option in str(env["GIT_SSH_COMMAND"])

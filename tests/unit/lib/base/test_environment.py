"""What programs get of our environment is listed; all else stays here."""

import pytest

from lib.base import environment

HOSTILE = [
    *("GIT_CONFIG_GLOBAL", "GIT_SSH_COMMAND", "GIT_EXEC_PATH", "BASH_ENV", "ENV", "LD_PRELOAD", "LD_AUDIT"),
    *("PYTHONPATH", "PERL5OPT", "NODE_OPTIONS", "TAR_OPTIONS", "GZIP", "UNZIP", "TMPDIR", "GCONV_PATH"),
    *("OPENSSL_CONF", "CURL_HOME", "EDITOR", "PAGER", "LESSOPEN", "IFS", "PROMPT_COMMAND", "ANY_OTHER"),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_listed_stays_here(monkeypatch, name):
    """RUN-5"""
    monkeypatch.setenv(name, "/evil")
    assert name not in environment.given()
    assert environment.whole()[name] == "/evil"


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "DOKKU_ROOT", "DOCKER_HOST", "HTTPS_PROXY", "BUILDKIT_HOST"]
)
def test_what_is_listed_is_given(monkeypatch, name):
    monkeypatch.setenv(name, "ours")
    assert environment.given()[name] == "ours"


def test_a_change_adds_and_takes_away(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "ours")
    found = environment.given({"DOCKER_HOST": None, "BASH_ENV": "asked for"})
    assert ("DOCKER_HOST" in found, found["BASH_ENV"]) == (False, "asked for")

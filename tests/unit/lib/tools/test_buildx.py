"""Which of docker's two builders a build goes to."""

import os

import pytest

from lib.base import files
from lib.tools import buildx


@pytest.fixture(autouse=True)
def no_plugin(fs):
    pass


def test_without_the_plugin_it_is_the_classic_one():
    assert not buildx.builds()


@pytest.mark.parametrize(
    "place", ["/usr/libexec/docker/cli-plugins", "/usr/local/lib/docker/cli-plugins", "~/.docker/cli-plugins"]
)
def test_a_plugin_that_can_run_is_used(place):
    path = os.path.expanduser(f"{place}/docker-buildx")
    files.replace(path, "", mode=0o644)
    assert not buildx.builds()
    os.chmod(path, 0o755)
    assert buildx.builds()


def test_the_clients_own_directory_may_be_elsewhere(monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", "/etc/docker-client")
    files.replace("/etc/docker-client/cli-plugins/docker-buildx", "", mode=0o755)
    assert buildx.builds()


@pytest.mark.parametrize(("value", "answer"), [("1", True), ("true", True), ("0", False), ("false", False)])
def test_the_host_may_decide_by_a_variable(monkeypatch, value, answer):
    files.replace("/usr/libexec/docker/cli-plugins/docker-buildx", "", mode=0o755)
    monkeypatch.setenv("DOCKER_BUILDKIT", value)
    assert buildx.builds() is answer

"""docker-args-build, git-revision, git-deploy-branch, network-get-property, scheduler-detect."""

import os

import pytest

from lib.app import config, options
from lib.base import properties, settings, triggers

APP = "blog"


@pytest.fixture(autouse=True)
def app(fs):
    os.makedirs(os.path.join(settings.app_dir(APP), "refs"))


def test_options_of_a_build_have_a_leading_blank_each():
    for line in ("--build-arg A", "--cpus 1"):
        options.add(APP, ["build"], line)
    assert triggers.ask("docker-args-build", APP, "dockerfile") == " --build-arg A --cpus 1"


def test_git_answers_with_branch_and_revision(shell):
    properties.write("git", APP, "deploy-branch", "main")
    shell.answers("git …refs/heads/main…", out="1" * 40 + "\n")
    assert triggers.ask("git-deploy-branch", APP) == "main\n"
    assert triggers.ask("git-revision", APP) == "1" * 40 + "\n"


def test_a_property_of_the_network_has_no_line_end():
    properties.write("network", APP, "bind-all-interfaces", "true")
    assert triggers.ask("network-get-property", APP, "bind-all-interfaces") == "true"
    assert triggers.ask("network-get-property", APP, "none") == ""


def test_the_scheduler_is_told():
    assert triggers.ask("scheduler-detect", APP) == "docker-local"
    config.set_values(APP, {"DOKKU_SCHEDULER": "nomad"})
    assert triggers.ask("scheduler-detect", APP) == "nomad"

"""Builders: who is chosen, and that an image came of it."""

import json
import os

import pytest

from lib.app import config
from lib.base import files, log, properties, settings, triggers
from lib.base.errors import DokkuError
from lib.build import builders

APP, TREE = "blog", "/source"


@pytest.fixture(autouse=True)
def said(fs):
    os.makedirs(settings.app_dir(APP))
    os.makedirs(TREE)
    with log.collected() as lines:
        yield lines


def image(id_: str, named_at: str) -> str:
    return json.dumps({"Id": id_, "Config": {}, "Metadata": {"LastTagTime": named_at}}) + "\n"


@pytest.mark.parametrize(
    ("present", "app", "host", "chosen"),
    [
        ([], "", "", "herokuish"),
        (["Dockerfile"], "", "", "dockerfile"),
        (["Dockerfile", ".buildpacks"], "", "", "herokuish"),
        (["Dockerfile", "project.toml"], "", "", "pack"),
        (["Dockerfile"], "", "pack", "pack"),
        (["Dockerfile"], "nix", "pack", "nix"),
    ],
)
def test_the_apps_choice_comes_before_the_hosts_and_that_before_detection(present, app, host, chosen):
    for name in present:
        files.replace(os.path.join(TREE, name), "x")
    for owner, choice in ((APP, app), ("--global", host)):
        if choice:
            properties.write("builder", owner, "selected", choice)

    assert builders.detect(APP, TREE) == chosen


def test_the_builders_name_is_kept_for_hooks(shell, monkeypatch):
    monkeypatch.setattr(triggers, "fire", lambda *words: None)
    shell.answers("docker image inspect …", out=image("sha256:1", "then"))
    shell.answers("docker image inspect …", out=image("sha256:2", "now"))

    builders.build(APP, "nix", TREE)

    assert config.get(APP, "DOKKU_APP_TYPE") == "nix"


def test_the_same_image_named_again_counts_as_built(shell, monkeypatch):
    monkeypatch.setattr(triggers, "fire", lambda *words: None)
    shell.answers("docker image inspect …", out=image("sha256:1", "then"))
    shell.answers("docker image inspect …", out=image("sha256:1", "now"))

    builders.build(APP, "dockerfile", TREE)


@pytest.mark.parametrize("left", ["", image("sha256:1", "then")])
def test_a_builder_that_leaves_no_new_image_fails_the_build(shell, monkeypatch, left):
    monkeypatch.setattr(triggers, "fire", lambda *words: None)
    shell.answers("docker image inspect …", out=left)

    with pytest.raises(DokkuError, match="Builder nix left no image for blog"):
        builders.build(APP, "nix", TREE)


def test_exposed_ports_of_the_image_become_the_apps_unless_it_has_some(shell, monkeypatch):
    monkeypatch.setattr(triggers, "fire", lambda *words: None)
    known = {"Id": "sha256:1", "Config": {"ExposedPorts": {"8080/tcp": {}}}}
    shell.answers("docker image inspect …", out=json.dumps(known) + "\n")

    builders.release(APP, "latest")
    assert config.get(APP, "DOKKU_DOCKERFILE_PORTS") == "8080/tcp"

    config.set_values(APP, {"DOKKU_DOCKERFILE_PORTS": "3000"})
    builders.release(APP, "latest")
    assert config.get(APP, "DOKKU_DOCKERFILE_PORTS") == "3000"

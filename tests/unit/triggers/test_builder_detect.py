"""builder-detect: who builds, when the source, the config and plugins say different things."""

import os

import pytest

from lib.app import config
from lib.base import files, properties, settings
from lib.build import builders

APP, TREE = "blog", "/source"


@pytest.fixture(autouse=True)
def app(fs):
    os.makedirs(settings.app_dir(APP))
    os.makedirs(TREE)


def source(*names):
    for name in names:
        files.replace(os.path.join(TREE, name), "BUILDPACK_URL=x" if name == ".env" else "FROM scratch\n")


@pytest.mark.parametrize(
    ("names", "builder"),
    [
        ((), "herokuish"),
        (("Dockerfile",), "dockerfile"),
        (("Dockerfile", ".buildpacks"), "herokuish"),
        (("Dockerfile", ".env"), "herokuish"),
        (("Dockerfile", "project.toml"), "pack"),
        ((".buildpacks", "project.toml"), "herokuish"),
        (("project.toml",), "pack"),
        (("nixpacks.toml", "project.toml"), "nixpacks"),
        (("Dockerfile", "railpack.json"), "dockerfile"),
        (("railpack.json",), "railpack"),
    ],
)
def test_the_source_tells_its_builder(names, builder):
    source(*names)
    assert builders.detect(APP, TREE) == builder


@pytest.mark.parametrize(
    ("key", "value", "builder"),
    [("BUILDPACK_URL", "x", "herokuish"), ("DOKKU_CNB_EXPERIMENTAL", "1", "pack")],
)
def test_the_config_may_tell_another(key, value, builder):
    source("Dockerfile")
    config.set_values(APP, {key: value})
    assert builders.detect(APP, TREE) == builder


def test_the_app_chooses_before_the_host_and_both_before_the_source():
    source("Dockerfile")
    properties.write("builder", "--global", "selected", "pack")
    assert builders.detect(APP, TREE) == "pack"
    properties.write("builder", APP, "selected", "mine")
    assert builders.detect(APP, TREE) == "mine"


def test_of_several_answers_the_first_by_the_names_of_plugins_wins(shell):
    source("Dockerfile")
    for plugin in ("aaa", "zzz"):
        hook = os.path.join(settings.plugins_enabled(), plugin, "builder-detect")
        files.replace(hook, "#!/bin/sh\n", mode=0o755)
        shell.answers(f"{hook} …", out=f"{plugin}\n")
    assert builders.detect(APP, TREE) == "aaa"
    files.remove(os.path.join(settings.plugins_enabled(), "aaa"))
    assert builders.detect(APP, TREE) == "dockerfile"

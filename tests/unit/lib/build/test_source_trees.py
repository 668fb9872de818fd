"""build-dir: a directory of the source in place of all of it, and never one outside."""

import os

import pytest

from lib.base import files, properties
from lib.base.errors import DokkuError
from lib.build import source_trees

APP, TREE = "blog", "/checkout/tree"


@pytest.fixture(autouse=True)
def source(fs):
    for name in ("README", "web/app/Dockerfile", "web/app/src/main", "other/x"):
        files.replace(os.path.join(TREE, name), name)
    files.replace("/host/secret", "s")


def chosen(path: str) -> None:
    properties.write("builder", APP, "build-dir", path)


def everything() -> set[str]:
    return {
        os.path.relpath(os.path.join(parent, name), TREE)
        for parent, _, names in os.walk(TREE)
        for name in names
    }


def test_without_a_build_dir_the_source_stays_as_it_is():
    before = everything()
    source_trees.enter_build_dir(APP, TREE, "abc")
    assert everything() == before


def test_the_build_dir_becomes_the_whole_source():
    chosen("web/app")
    source_trees.enter_build_dir(APP, TREE, "abc")
    assert everything() == {"Dockerfile", "src/main"}
    assert os.listdir("/checkout") == ["tree"]


def test_a_git_directory_that_was_asked_for_comes_along():
    files.replace(os.path.join(TREE, ".git/HEAD"), "ref: x")
    chosen("web")
    source_trees.enter_build_dir(APP, TREE)
    assert everything() == {".git/HEAD", "app/Dockerfile", "app/src/main"}


def test_a_link_inside_the_source_may_lead_to_it():
    os.symlink("web/app", os.path.join(TREE, "current"))
    chosen("current")
    source_trees.enter_build_dir(APP, TREE)
    assert everything() == {"Dockerfile", "src/main"}


@pytest.mark.parametrize("path", ["none", "README", "web/none", "out", "out/deeper", "up", "self"])
def test_what_is_no_directory_of_the_source_ends_the_deploy_and_nothing_moves(path):
    os.makedirs("/host/deeper")
    os.symlink("/host", os.path.join(TREE, "out"))
    os.symlink("..", os.path.join(TREE, "up"))
    os.symlink(".", os.path.join(TREE, "self"))
    chosen(path)
    before = everything()
    with pytest.raises(DokkuError, match=f"Specified build-dir not found in .* directory: {path}"):
        source_trees.enter_build_dir(APP, TREE)
    assert everything() == before
    assert files.read("/host/secret") == "s"

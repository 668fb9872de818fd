"""Checkouts of an app's repository for a build, by real git."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lib.base import properties, settings
from lib.base.errors import DokkuError
from lib.source import commits, repos
from lib.tools import git

APP = "blog"
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")


@pytest.fixture(autouse=True)
def app(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    os.makedirs(settings.app_dir(APP))


def commit(tmp_path, **files):
    """Make some files the tip of the app's deploy branch."""
    place = tmp_path / "source"
    shutil.rmtree(place, ignore_errors=True)
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(content)
    made = commits.commit_directory(APP, str(place))
    repos.advance(APP, made)
    return made


def listing(tree):
    return sorted(str(path.relative_to(tree)) for path in Path(tree).rglob("*") if not path.is_dir())


def left_over():
    return [name for name in os.listdir(settings.temporary()) if name != "locks"]


def test_a_checkout_has_the_files_and_no_git_and_is_gone_after_the_block(tmp_path):
    """GIT-10"""
    made = commit(tmp_path, **{"a": "1", "d/b": "2"})
    with repos.checked_out(APP, made) as tree:
        assert listing(tree) == ["a", "d/b"]
        assert os.stat(tree).st_mode & 0o777 == 0o755
    assert left_over() == []


def test_a_checkout_is_gone_after_a_failure_too(tmp_path):
    made = commit(tmp_path, a="1")
    with pytest.raises(RuntimeError), repos.checked_out(APP, made):
        raise RuntimeError
    assert left_over() == []


def test_a_commit_that_is_not_there_leaves_nothing(tmp_path):
    commit(tmp_path, a="1")
    with pytest.raises(DokkuError), repos.checked_out(APP, "1" * 40):
        pass
    assert left_over() == []


def test_an_older_commit_can_be_checked_out(tmp_path):
    old = commit(tmp_path, a="1")
    commit(tmp_path, b="2")
    with repos.checked_out(APP, old) as tree:
        assert listing(tree) == ["a"]


@pytest.mark.parametrize("keep", ["true", "false"])
def test_a_repository_inside_the_source_arrives_empty_and_is_told(tmp_path, keep, capfd):
    properties.write("git", APP, "keep-git-dir", keep)
    tip = commit(tmp_path, a="1")
    listed = _git(settings.app_dir(APP), "ls-tree", tip).strip()
    entries = f"{listed}\n160000 commit {tip}\tvendor\n"
    tree = subprocess.run(
        ["git", "-C", settings.app_dir(APP), "mktree"],
        input=entries,
        text=True,
        capture_output=True,
        check=True,
    ).stdout.strip()
    made = _git(
        settings.app_dir(APP), "-c", "user.name=a", "-c", "user.email=a", "commit-tree", "-m", "x", tree
    )
    with repos.checked_out(APP, made.strip()) as place:
        assert Path(place, "a").read_text() == "1"
        assert not Path(place, "vendor").exists() or os.listdir(f"{place}/vendor") == []
    said = capfd.readouterr().err
    assert " !     vendor is a git repository inside this one, and arrives empty:\n" in said


def test_the_git_directory_of_a_checkout_stands_alone_on_the_deploy_branch(tmp_path):
    properties.write("git", APP, "keep-git-dir", "true")
    properties.write("git", APP, "deploy-branch", "release/1")
    old = commit(tmp_path, a="1")
    tip = commit(tmp_path, a="2")
    with repos.checked_out(APP, tip) as tree:
        os.rename(settings.app_dir(APP), tmp_path / "elsewhere")
        assert Path(tree, "a").read_text() == "2"
        inside = {name for name in os.listdir(f"{tree}/.git") if not name.isupper()}
        assert inside >= {"config", "description", "hooks", "info", "objects", "refs"}
        answers = [
            _git(tree, "symbolic-ref", "HEAD"),
            _git(tree, "log", "--format=%H"),
            _git(tree, "status", "--porcelain"),
            _git(tree, "rev-parse", "--is-bare-repository"),
        ]
        assert answers == ["refs/heads/release/1\n", f"{tip}\n{old}\n", "", "false\n"]


def _git(tree, *words):
    return subprocess.run(["git", "-C", tree, *words], capture_output=True, check=True, text=True).stdout


@pytest.mark.parametrize("keep", ["true", "false"])
def test_a_commit_that_a_push_has_not_settled_yet_is_checked_out(tmp_path, monkeypatch, keep):
    """As in a pre-receive hook of a first push: the repository itself has no object and no ref."""
    properties.write("git", APP, "keep-git-dir", keep)
    git.init(str(tmp_path / "quarantine"), "master")
    tip = commit(tmp_path, a="1", **{".gitmodules": ""})
    objects = Path(settings.app_dir(APP), "objects")
    shutil.copytree(objects, tmp_path / "quarantine/objects", dirs_exist_ok=True)
    shutil.rmtree(settings.app_dir(APP))
    os.makedirs(settings.app_dir(APP))
    repos.initialize(APP)
    monkeypatch.setenv("GIT_DIR", ".")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "quarantine/objects"))
    monkeypatch.setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", str(objects))
    monkeypatch.setenv("GIT_QUARANTINE_PATH", str(tmp_path / "quarantine/objects"))
    assert repos.deployable(APP, tip) == tip
    with repos.checked_out(APP, tip) as tree:
        assert Path(tree, "a").read_text() == "1"
        assert os.path.exists(f"{tree}/.git") is (keep == "true")
        if keep == "true":
            shutil.rmtree(tmp_path / "quarantine")
            for name in ("GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"):
                monkeypatch.delenv(name)
            assert _git(tree, "log", "--format=%H") == f"{tip}\n"


def test_git_files_of_submodules_are_dropped_at_any_depth(tmp_path):
    """GIT-10"""
    tree = tmp_path / "tree"
    for name in (".git/config", "sub/.git", "sub/deeper/.git/HEAD", "sub/x", ".gitignore"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("x")
    repos._drop_git(str(tree))
    assert listing(tree) == [".gitignore", "sub/x"]


def test_a_tag_is_the_commit_that_it_names(tmp_path):
    tip = commit(tmp_path, a="1")
    words = ["-c", "user.name=x", "-c", "user.email=x@y", "tag", "-a", "-m", "x", "v1", tip]
    subprocess.run(["git", "-C", settings.app_dir(APP), *words], check=True, capture_output=True)
    assert repos.deployable(APP, "v1") == repos.deployable(APP, "refs/tags/v1") == tip

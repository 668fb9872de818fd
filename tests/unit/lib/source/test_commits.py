"""Directories as commits: what is asked of git, and what is no commit."""

import os
import time

import pytest

from lib.base import settings
from lib.base.errors import DokkuError
from lib.source import commits

APP = "blog"
TIP, TREE, NEW = "1" * 40, "4" * 40, "2" * 40


@pytest.fixture(autouse=True)
def app(fs, monkeypatch):
    os.makedirs(os.path.join(settings.app_dir(APP), "refs"))
    monkeypatch.setattr(time, "time", lambda: 1234.5)


def repository(shell, tip="", tree_of_tip=""):
    shell.answers("git …rev-parse --verify --quiet…", out=f"{tip}\n", status=0 if tip else 1)
    shell.answers("git …rev-parse --verify --end-of-options…", out=f"{tree_of_tip}\n")
    shell.answers("git …write-tree", out=f"{TREE}\n")
    shell.answers("git …commit-tree…", out=f"{NEW}\n")


def test_the_first_commit_has_no_parent(shell, fs):
    fs.create_file("/tree/x")
    repository(shell)
    assert commits.commit_directory(APP, "/tree") == NEW
    made = next(call for call in shell.calls if "commit-tree" in call.argv)
    assert made.argv[2:] == ["commit-tree", "-m", "Initial commit", "--end-of-options", TREE]
    assert [made.env[f"GIT_{who}"] for who in ("AUTHOR_NAME", "COMMITTER_EMAIL")] == [
        *("Dokku", "automated@dokku.sh")
    ]


def test_a_later_commit_stands_on_the_tip(shell, fs):
    fs.create_file("/tree/x")
    repository(shell, TIP, "5" * 40)
    assert commits.commit_directory(APP, "/tree", ("Jane", "jane@x")) == NEW
    made = next(call for call in shell.calls if "commit-tree" in call.argv)
    assert made.argv[3:7] == ["-p", TIP, "-m", "Automated commit @ 1234"]
    assert made.env["GIT_AUTHOR_NAME"] == "Jane"


def test_what_equals_the_tip_is_no_commit(shell, fs):
    """GIT-15"""
    fs.create_file("/tree/x")
    repository(shell, TIP, TREE)
    assert commits.commit_directory(APP, "/tree") == ""
    assert not any("commit-tree" in line for line in shell.ran)


def test_no_ref_moves(shell, fs):
    fs.create_file("/tree/x")
    repository(shell)
    commits.commit_directory(APP, "/tree")
    assert not any("update-ref" in line or "symbolic-ref" in line for line in shell.ran)


def test_all_files_count_and_the_index_is_gone(shell, fs):
    """GIT-16"""
    fs.create_file("/tree/x")
    repository(shell)
    commits.commit_directory(APP, "/tree")
    added = next(call for call in shell.calls if "add" in call.argv)
    assert added.argv[2:] == ["add", "--all", "--force", "--", "."]
    assert (added.cwd, added.env["GIT_WORK_TREE"]) == ("/tree", "/tree")
    assert not os.path.exists(os.path.dirname(added.env["GIT_INDEX_FILE"]))


def test_an_empty_directory_is_no_commit(shell, fs):
    """GIT-15"""
    fs.create_dir("/tree/empty/empty")
    with pytest.raises(DokkuError, match="No files found to commit"):
        commits.commit_directory(APP, "/tree")
    assert shell.ran == []


@pytest.mark.parametrize(
    "author", [("a\nb", "x"), ("a", "x\0"), ("a <b>", "x"), ("a", "<x>"), ("a", "x\x1b")]
)
def test_an_odd_author_is_refused(shell, fs, author):
    """NAME-12"""
    fs.create_file("/tree/x")
    with pytest.raises(DokkuError, match="Invalid git user name or email"):
        commits.commit_directory(APP, "/tree", author)
    assert shell.ran == []

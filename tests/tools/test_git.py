"""The git wrapper with real git: trees in and out of a bare repository, and what never runs on the way."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lib.base import environment
from lib.base.errors import ToolFailed
from lib.tools import git, git_transfers

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
AUTHOR = ("Jane Doe", "jane@example.com")
NOBODY = "0" * 40


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home without anybody's settings."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return tmp_path / "home"


@pytest.fixture
def bare(tmp_path):
    git.init(str(tmp_path / "app"), "main")
    return str(tmp_path / "app")


def plain(*words, cwd=None):
    """Git as a developer has it."""
    who = {f"GIT_{kind}_{what}": "x@y" for kind in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {**os.environ, **who, "GIT_CONFIG_GLOBAL": "/dev/null"}
    return subprocess.run(
        ["git", *words], cwd=cwd, env=env, capture_output=True, check=True, text=True
    ).stdout


def files_of(directory):
    """Content by path; the target of a link."""
    top = Path(directory)
    found = {}
    for path in sorted(top.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(top))] = os.readlink(path)
        elif path.is_file():
            found[str(path.relative_to(top))] = path.read_bytes()
    return found


def commit(bare, tmp_path, parent="", **files):
    """A commit of some files on top of another."""
    tree = tmp_path / f"source-{len(os.listdir(tmp_path))}"
    for name, content in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(content)
    stored = git.write_tree(bare, str(tmp_path / f"index-{len(os.listdir(tmp_path))}"), str(tree))
    return git.commit_tree(bare, stored, parent, "a message", AUTHOR)


def check_out(bare, commit, tmp_path, name="out"):
    (tmp_path / name).mkdir()
    git.check_out(bare, commit, str(tmp_path / f"{name}.index"), str(tmp_path / name))
    return files_of(tmp_path / name)


def test_a_new_repository_is_bare_and_starts_with_its_branch(bare):
    assert plain("-C", bare, "rev-parse", "--is-bare-repository") == "true\n"
    assert Path(bare, "HEAD").read_text() == "ref: refs/heads/main\n"


def test_initialising_again_leaves_the_branch_and_mends_what_is_missing(bare, tmp_path):
    tip = commit(bare, tmp_path, a=b"1")
    git.update_ref(bare, "refs/heads/main", tip)
    os.unlink(f"{bare}/config")
    git.init(bare, "other")
    assert Path(bare, "HEAD").read_text() == "ref: refs/heads/main\n"
    assert git.resolve(bare, "refs/heads/main") == tip


def test_a_repository_may_stand_in_an_odd_place(tmp_path):
    place = str(tmp_path / "-x y'$(id)")
    git.init(place, "main")
    tip = commit(place, tmp_path, a=b"1")
    assert check_out(place, tip, tmp_path) == {"a": b"1"}


def test_what_goes_in_comes_out(bare, tmp_path):
    files = {
        "a": b"1",
        "dir/ä b": b"\0\xff",
        "-x": b"",
        "'": b"crlf\r\n",
        ".gitignore": b"ignored\n",
        "ignored": b"2",
    }
    tip = commit(bare, tmp_path, **files)
    assert check_out(bare, tip, tmp_path) == files


def test_modes_and_links_come_out_as_they_went_in(bare, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "run").write_text("#!/bin/sh\n")
    (tree / "run").chmod(0o755)
    (tree / "link").symlink_to("run")
    stored = git.write_tree(bare, str(tmp_path / "index"), str(tree))
    out = check_out(bare, git.commit_tree(bare, stored, "", "x", AUTHOR), tmp_path)
    assert out["link"] == "run"
    assert os.stat(tmp_path / "out/run").st_mode & 0o777 == 0o755


def test_a_check_out_leaves_the_repository_alone(bare, tmp_path):
    tip = commit(bare, tmp_path, a=b"1")
    before = files_of(bare)
    check_out(bare, tip, tmp_path)
    assert files_of(bare) == before


def test_a_check_out_obeys_no_attribute_of_the_source(bare, tmp_path, home):
    """GIT-4, GIT-10"""
    home.mkdir()
    canary = tmp_path / "canary"
    (home / ".gitconfig").write_text(
        f'[core]\n\tfsmonitor = "touch {canary}"\n\thooksPath = {tmp_path}/hooks\n'
    )
    (tmp_path / "hooks").mkdir()
    hook = tmp_path / "hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {canary}\n")
    hook.chmod(0o755)
    tip = commit(bare, tmp_path, a=b"1\r\n", **{".gitattributes": b"* filter=evil\n"})
    assert check_out(bare, tip, tmp_path)["a"] == b"1\r\n"
    git.clone_work_tree(bare, str(tmp_path / "clone"), tip, "")
    assert not canary.exists()


def test_the_same_files_are_the_same_tree(bare, tmp_path):
    first = commit(bare, tmp_path, a=b"1", b=b"2")
    second = commit(bare, tmp_path, first, b=b"2", a=b"1")
    assert git.tree_of(bare, first) == git.tree_of(bare, second)
    assert git.tree_of(bare, commit(bare, tmp_path, second, a=b"1")) != git.tree_of(bare, first)


def test_a_commit_knows_its_parent_its_author_and_its_message(bare, tmp_path):
    first = commit(bare, tmp_path, a=b"1")
    second = commit(bare, tmp_path, first, a=b"2")
    shown = plain("-C", bare, "show", "--no-patch", "--format=%P|%an|%ae|%cn|%ce|%s", second)
    assert shown.strip() == f"{first}|Jane Doe|jane@example.com|Jane Doe|jane@example.com|a message"
    assert plain("-C", bare, "show", "--no-patch", "--format=%P", first).strip() == ""


def test_a_name_resolves_to_a_commit_whatever_it_names(bare, tmp_path):
    """GIT-5"""
    tip = commit(bare, tmp_path, a=b"1")
    git.update_ref(bare, "refs/heads/main", tip)
    plain("-C", bare, "tag", "-a", "-m", "x", "v1", tip)
    for name in ("main", "refs/heads/main", "HEAD", "v1", "refs/tags/v1", tip, tip[:10]):
        assert git.resolve(bare, name) == tip
    plain("-C", bare, "pack-refs", "--all")
    assert git.resolve(bare, "refs/heads/main") == tip


@pytest.mark.parametrize(
    "name",
    ["none", NOBODY, "", "-x", "--help", "--all", "a b", "main^{tree}", "../x", "main:a", "@{-1}", "\n"],
)
def test_what_names_no_commit_resolves_to_nothing(bare, tmp_path, name):
    """GIT-5"""
    git.update_ref(bare, "refs/heads/main", commit(bare, tmp_path, a=b"1"))
    assert git.resolve(bare, name) == ""


def test_a_short_id_names_its_commit(bare, tmp_path):
    tip = commit(bare, tmp_path, a=b"1")
    git.update_ref(bare, "refs/heads/main", tip)
    short = git.abbreviated(bare, "refs/heads/main")
    assert 4 <= len(short) < 40
    assert tip.startswith(short)
    assert git.abbreviated(bare, "refs/heads/none") == ""


def test_a_commit_tells_what_it_holds(bare, tmp_path):
    tip = commit(bare, tmp_path, **{".gitmodules": b"", "d/x": b"1"})
    assert git.has_path(bare, tip, ".gitmodules")
    assert git.has_path(bare, tip, "d/x")
    assert not git.has_path(bare, tip, "x")
    assert not git.has_path(bare, tip, "*")


def test_a_branch_moves_and_becomes_the_first(bare, tmp_path):
    tip = commit(bare, tmp_path, a=b"1")
    git.update_ref(bare, "refs/heads/release", tip)
    git.set_head(bare, "release")
    assert plain("-C", bare, "rev-parse", "HEAD").strip() == tip
    git.set_config(bare, "gc.auto", "7")
    assert plain("-C", bare, "config", "gc.auto") == "7\n"


def test_a_failure_carries_gits_own_words_and_status(bare):
    with pytest.raises(ToolFailed) as failed:
        git.tree_of(bare, NOBODY)
    assert failed.value.exit_code == 128
    assert failed.value.text.startswith("fatal: ")


@pytest.mark.parametrize("word", ["--index-output=canary", "--prefix=x/", "-x"])
def test_an_option_in_place_of_a_commit_has_no_effect(bare, tmp_path, monkeypatch, word):
    """RUN-2, GIT-5"""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    for ask in (
        lambda: git.has_path(bare, word, "x"),
        lambda: git.check_out(bare, word, str(tmp_path / "index"), str(tmp_path / "out")),
        lambda: git.tree_of(bare, word),
        lambda: git.update_ref(bare, "refs/heads/main", word),
    ):
        with pytest.raises(ToolFailed):
            ask()
    assert not (tmp_path / "canary").exists()


def test_variables_of_a_hook_around_us_do_not_reach_git(bare, tmp_path, monkeypatch):
    """RUN-5, GIT-4"""
    tip = commit(bare, tmp_path, a=b"1")
    git.update_ref(bare, "refs/heads/main", tip)
    git.init(str(tmp_path / "other"), "main")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_WORK_TREE", "/")
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_QUARANTINE_PATH", str(tmp_path))
    assert git.resolve(bare, "main") == tip
    git.clone_work_tree(bare, str(tmp_path / "clone"), tip, "")
    assert files_of(tmp_path / "clone")["a"] == b"1"
    git.update_ref(bare, "refs/heads/more", tip)
    assert git.resolve(bare, "more") == tip


def test_nothing_prompts_and_no_local_protocol_is_spoken():
    """GIT-4"""
    env = git.environment()
    assert env["GIT_TERMINAL_PROMPT"] == "0"
    assert env["GIT_ALLOW_PROTOCOL"] == "http:https:ssh:git"
    assert "SSH_ASKPASS" not in environment.given(env)
    assert "BatchMode=yes" in str(env["GIT_SSH_COMMAND"])


def test_objects_of_a_push_under_way_are_seen(bare, tmp_path, monkeypatch):
    """As in a pre-receive hook: new objects lie in quarantine, the repository's own are the alternate."""
    git.init(str(tmp_path / "quarantine"), "main")
    tip = commit(str(tmp_path / "quarantine"), tmp_path, a=b"new")
    assert git.resolve(bare, tip) == ""
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "quarantine/objects"))
    monkeypatch.setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", f"{bare}/objects")
    assert git.resolve(bare, tip) == tip
    assert check_out(bare, tip, tmp_path) == {"a": b"new"}
    git.clone_work_tree(bare, str(tmp_path / "clone"), tip, f"{tmp_path}/quarantine/objects:{bare}/objects")
    assert files_of(tmp_path / "clone")["a"] == b"new"


def test_a_work_tree_stands_alone_once_everything_is_packed(bare, tmp_path):
    tip = commit(bare, tmp_path, a=b"1")
    git.update_ref(bare, "refs/heads/main", tip)
    clone = str(tmp_path / "clone")
    git.clone_work_tree(bare, clone, tip, "")
    git.pack_everything(clone, {})
    os.unlink(f"{clone}/.git/objects/info/alternates")
    shutil.rmtree(bare)
    assert plain("-C", clone, "fsck", "--full") == ""
    assert plain("-C", clone, "status", "--porcelain") == ""


def _with_submodule(bare, tmp_path, url):
    inner = tmp_path / "inner"
    plain("init", "-q", "-b", "main", str(inner))
    (inner / "secret").write_text("x")
    plain("-C", str(inner), "add", ".")
    plain("-C", str(inner), "commit", "-qm", "x")
    revision = plain("-C", str(inner), "rev-parse", "HEAD").strip()
    plain("clone", "-q", bare, str(tmp_path / "outer"))
    (tmp_path / "outer/.gitmodules").write_text(f'[submodule "sub"]\n\tpath = sub\n\turl = {url}\n')
    plain("-C", str(tmp_path / "outer"), "add", ".gitmodules")
    plain("-C", str(tmp_path / "outer"), "update-index", "--add", "--cacheinfo", f"160000,{revision},sub")
    plain("-C", str(tmp_path / "outer"), "commit", "-qm", "x")
    plain("-C", str(tmp_path / "outer"), "push", "-q", "origin", "HEAD:main")
    return git.resolve(bare, "main")


@pytest.mark.parametrize(
    "url", ["{place}/inner", "file://{place}/inner", "../inner", "ext::touch {place}/canary"]
)
def test_a_submodule_on_this_machine_is_not_fetched(bare, tmp_path, url):
    """GIT-8"""
    tip = _with_submodule(bare, tmp_path, url.format(place=tmp_path))
    git.clone_work_tree(bare, str(tmp_path / "clone"), tip, "")
    with pytest.raises(ToolFailed) as failed:
        git_transfers.update_submodules(str(tmp_path / "clone"), "")
    assert "not allowed" in failed.value.text
    assert not (tmp_path / "clone/sub/secret").exists()
    assert not (tmp_path / "canary").exists()


def test_submodules_of_a_tree_without_any_are_up_to_date(bare, tmp_path):
    tip = commit(bare, tmp_path, a=b"1")
    git.clone_work_tree(bare, str(tmp_path / "clone"), tip, "")
    git_transfers.update_submodules(str(tmp_path / "clone"), "")

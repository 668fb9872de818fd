"""Pushes that git would refuse once they are deployed, that reach no hook, or that deploy nothing."""

# ruff: noqa: F401, F811 - fixtures of another module

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Dokku
from tests.cli.test_git import built, commit, git, note, push, source, temporary, tip


def _shallow(place: Path, target: Path) -> Path:
    """A clone as CI makes one: of the last commit only."""
    git("clone", "-q", "--depth=1", f"file://{place}", str(target), cwd=place)
    return target


def _head(place: Path, name: str = "HEAD") -> str:
    return git("rev-parse", name, cwd=place).stdout.strip()


def _deployed(dokku: Dokku, place: Path) -> None:
    """What was deployed is what the repository has, and what the next rebuild builds."""
    assert tip(dokku) == _head(place)
    assert dokku("config:get", "blog", "GIT_REV").out.strip() == _head(place)
    (dokku.log / "page").unlink(missing_ok=True)
    rebuilt = dokku("ps:rebuild", "blog")
    assert rebuilt.code == 0, rebuilt
    assert note(dokku, "page") == (place / "index.html").read_text()


@pytest.mark.parametrize("keeps_git", ["false", "true"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_shallow_push_is_deployed_and_kept(
    built: Dokku, source: Path, tmp_path: Path, keeps_git: str, is_first: bool
) -> None:
    built("git:set", "--global", "keep-git-dir", keeps_git)
    if not is_first:
        assert push(built, source).returncode == 0
    for number in range(2):
        for _ in range(2):
            commit(source, **{"index.html": f"shallow {number}"})
        clone = _shallow(source, tmp_path / f"clone{number}")
        said = push(built, clone, "+main:master")
        assert said.returncode == 0, said
        _deployed(built, clone)
    commit(source, **{"index.html": "all of it"})
    assert push(built, source, "main:master").returncode == 0
    _deployed(built, source)
    assert temporary(built) == []


def test_an_annotated_tag_is_refused_as_a_branch_before_it_is_built(built: Dokku, source: Path) -> None:
    push(built, source)
    before = note(built, "built")
    commit(source, **{"index.html": "tagged"})
    git("tag", "-a", "-m", "x", "v1", cwd=source)
    said = push(built, source, "v1:refs/heads/master")
    assert said.returncode == 1
    assert "refs/heads/master takes a commit and this is an annotated tag" in said.stderr
    assert "push its commit: git push <dokku> <tag>^{commit}:refs/heads/master" in said.stderr
    assert note(built, "built") == before
    assert push(built, source, "v1^{commit}:refs/heads/master").returncode == 0
    assert note(built, "page") == "tagged"


@pytest.mark.parametrize("annotated", [True, False])
def test_a_tag_pushed_to_a_new_app_becomes_its_branch(built: Dokku, source: Path, annotated: bool) -> None:
    git("tag", *(["-a", "-m", "x"] if annotated else []), "v1", cwd=source)
    said = push(built, source, "v1:master")
    assert said.returncode == 0, said
    _deployed(built, source)
    commit(source, **{"index.html": "two"})
    said = push(built, source, "main:master")  # another ref called master would be in its way
    assert said.returncode == 0, said
    _deployed(built, source)


@pytest.mark.parametrize("refs", [("main:release",), ("main:release/1.0", "main:release")])
def test_a_branch_that_another_one_is_in_the_way_of_is_not_built(
    built: Dokku, source: Path, refs: tuple[str, ...]
) -> None:
    built.make_app("blog")
    built("git:set", "blog", "deploy-branch", "release")
    if len(refs) == 1:
        assert push(built, source, "main:release/1.0").returncode == 0
    said = push(built, source, *refs)
    assert said.returncode == 1
    assert "Branch release/1.0 of blog is in the way of release, git can't have both" in said.stderr
    assert note(built, "built") == ""


@pytest.mark.parametrize("name", ["refs/heads/master.lock", "HEAD.lock", "shallow.lock", "packed-refs.lock"])
def test_a_stale_lock_stops_no_push(built: Dokku, source: Path, tmp_path: Path, name: str) -> None:
    push(built, source)
    commit(source, **{"index.html": "after"})
    place = built.root / "blog" / name
    place.touch()
    os.utime(place, (1, 1))
    said = push(built, _shallow(source, tmp_path / "clone"), "+main:master")
    assert said.returncode == 0, said
    _deployed(built, source)


def test_what_git_can_not_write_is_told_before_the_build(built: Dokku, source: Path) -> None:
    push(built, source)
    before = note(built, "built")
    (built.root / "blog/refs/heads/master").unlink()
    (built.root / "blog/refs/heads/master/odd").mkdir(parents=True)
    (built.root / "blog/refs/heads/master/odd/file").touch()
    said = push(built, source, "+main:master")
    assert said.returncode == 1
    assert " !     Git can't write refs/heads/master of blog: " in said.stderr
    assert note(built, "built") == before


@pytest.mark.parametrize("where", ["system", "home"])
def test_a_hooks_path_of_the_host_does_not_keep_a_push_from_being_deployed(
    built: Dokku, source: Path, tmp_path: Path, where: str
) -> None:
    config = built.root / ".gitconfig" if where == "home" else tmp_path / "gitconfig"
    config.write_text(f"[core]\n\thooksPath = {tmp_path}/none\n[receive]\n\tshallowUpdate = false\n")
    over_ssh = built.bin / "over-ssh"
    if where == "system":
        text = over_ssh.read_text()
        over_ssh.write_text(text.replace("#!/bin/sh\n", f"#!/bin/sh\nexport GIT_CONFIG_SYSTEM={config}\n"))
        if os.geteuid() != 0:
            pytest.skip("needs /etc/gitconfig")
        real = shutil.which("git")
        built.program("git", f'#!/bin/sh\nGIT_CONFIG_SYSTEM={config} exec {real} "$@"\n')
    said = push(built, source)
    assert said.returncode == 0, said
    assert note(built, "page") == "one"
    assert tip(built)


def test_a_repository_whose_files_can_not_be_executed_is_deployed_to(built: Dokku, source: Path) -> None:
    """As on a /home that is mounted noexec."""
    built.make_app("blog")
    mounted = subprocess.run(
        ["sh", "-c", f"mount --bind {built.root} {built.root} && mount -o remount,bind,noexec {built.root}"],
        capture_output=True,
    )
    if mounted.returncode:
        subprocess.run(["umount", str(built.root)], capture_output=True)
        pytest.skip("no mounts here")
    try:
        said = push(built, source)
    finally:
        subprocess.run(["umount", "-l", str(built.root)], check=True)
    assert said.returncode == 0, said
    assert note(built, "page") == "one"
    assert tip(built)


@pytest.mark.parametrize("name", ["update", "post-receive", "post-update"])
def test_other_hooks_of_a_repository_still_run(built: Dokku, source: Path, name: str) -> None:
    app = built.make_app("blog")
    hook = app / "hooks" / name
    hook.write_text(f'#!/bin/sh\necho "{name} $* $(cat)" >>{built.log}/hooked\n')
    hook.chmod(0o755)
    assert push(built, source).returncode == 0
    assert "refs/heads/master" in note(built, "hooked")


def test_the_first_branch_after_an_archive_becomes_the_deploy_branch(built: Dokku, source: Path) -> None:
    built.make_app("blog")
    archive = subprocess.run(["tar", "-c", "index.html"], cwd=source, capture_output=True, check=True).stdout
    assert built("git:from-archive", "blog", "--", input=archive).code == 0
    commit(source, **{"index.html": "pushed"})
    said = push(built, source, "main")
    assert said.returncode == 0, said
    assert "-----> Set main to DOKKU_DEPLOY_BRANCH." in said.stderr
    assert note(built, "page") == "pushed"
    assert tip(built, "main") == _head(source)
    said = push(built, source, "main:other")
    assert "Nothing was deployed, this deploys it: git push <dokku> other:main" in said.stderr


def test_a_branch_that_people_pushed_stays_the_deploy_branch(built: Dokku, source: Path) -> None:
    push(built, source)
    archive = subprocess.run(["tar", "-c", "index.html"], cwd=source, capture_output=True, check=True).stdout
    built("git:from-archive", "blog", "--", input=archive)
    said = push(built, source, "main")
    assert "you must push to master" in said.stderr


@pytest.mark.parametrize(
    ("refs", "hint"),
    [
        (("main:feature",), "git push <dokku> feature:master"),
        (("v1",), "git push <dokku> v1^{commit}:refs/heads/master"),
        (("main:feature", "v1"), "git push <dokku> feature:master"),
    ],
)
def test_a_push_that_deploys_nothing_says_so_last(
    built: Dokku, source: Path, refs: tuple[str, ...], hint: str
) -> None:
    push(built, source)
    git("tag", "-a", "-m", "x", "v1", cwd=source)
    said = push(built, source, *refs)
    assert said.returncode == 0
    remote = [line for line in said.stderr.splitlines() if line.startswith("remote:")]
    assert remote[-1].split() == f"remote: ! Nothing was deployed, this deploys it: {hint}".split()
    assert "deployed, this" not in push(built, source, ":feature").stderr

"""What a destroyed app, or a git that was killed, leaves behind, and who is an app."""

import gzip
import os
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.cli.conftest import NOBODY, Dokku
from tests.system.conftest import Instance

LOCKS = ["refs/heads/main.lock", "HEAD.lock", "config.lock"]


def archive(files: dict[str, str]) -> bytes:
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text.encode()), 0o755 if text.startswith("#!") else 0o644
            tar.addfile(member, BytesIO(text.encode()))
    return packed.getvalue()


def tip(instance: Instance, app: str, branch: str) -> str:
    return (instance.root / app / f"refs/heads/{branch}").read_text().strip()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_first_push_after_a_killed_git_is_accepted(instance: Instance, lock: str) -> None:
    """CRS-6"""
    app = instance.name(f"first-{lock.split('.')[0].split('/')[-1].lower()}")
    assert instance.dokku("apps:create", app).code == 0
    (instance.root / app / lock).touch()
    repo = instance.new_repo(instance.sample("first"))
    pushed = instance.push(repo, app)
    assert pushed.code == 0, pushed
    assert tip(instance, app, "main") == instance.git(repo, "rev-parse", "HEAD").out.strip()
    assert not (instance.root / app / lock).exists()


def test_every_way_in_clears_a_stale_lock_of_the_deploy_branch(instance: Instance) -> None:
    """CRS-6"""
    app = instance.name("stale")
    repo = instance.new_repo(instance.sample("one"))
    assert instance.push(repo, app).code == 0
    lock = instance.root / app / "refs/heads/main.lock"

    lock.touch()
    commit = instance.commit(repo, instance.sample("two"))
    assert instance.push(repo, app).code == 0
    assert (tip(instance, app, "main"), instance.get(app).body) == (commit, "two")

    lock.touch()
    done = instance.dokku("git:from-archive", app, "--", input=archive(instance.sample("three")))
    assert done.code == 0, done
    assert (tip(instance, app, "main") != commit, instance.get(app).body) == (True, "three")
    assert not lock.exists()


def test_nothing_of_a_destroyed_app_is_left(instance: Instance) -> None:
    """LEAK-5"""
    app = instance.name("leaving")
    assert instance.push(instance.new_repo(instance.sample("leaving")), app).code == 0
    for words in (
        ("config:set", "--no-restart", app, "KEY=value"),
        ("docker-options:add", app, "run", "-e A=b"),
        ("nginx:set", app, "client-max-body-size", "2m"),
        ("run", app, "true"),
    ):
        assert instance.dokku(*words).code == 0, words
    assert instance.get(app).status == 200
    for number in (1, 2):
        rotated = instance.log / f"{app}-access.log.{number}"
        rotated.write_text("")
    (instance.log / f"{app}-error.log.3.gz").write_bytes(gzip.compress(b""))
    neighbours = instance.log / f"{app}-2-access.log"
    neighbours.write_text("somebody else's\n")
    assert instance.dokku("apps:destroy", app, "--force").code == 0
    tops = (instance.root, instance.lib, instance.log)
    left = [path for top in tops for path in top.rglob("*") if app in path.name and path != neighbours]
    assert left == []
    assert neighbours.exists()


@pytest.mark.parametrize("command", ["config:show", "apps:destroy", "git:from-image", "apps:exists"])
def test_a_link_out_of_the_root_is_no_app(nobodys: Dokku, command: str) -> None:
    """NAME-2"""
    outside = nobodys.log / "elsewhere"
    outside.mkdir()
    (outside / "ENV").write_text('KEY="canary"\n')
    os.chown(outside, NOBODY, NOBODY)
    link = nobodys.root / "blog"
    link.symlink_to(outside)
    os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
    answer = nobodys(command, "blog", *(["--force"] if command == "apps:destroy" else []))
    assert (answer.code, "canary" in answer.out) == (20, False)
    assert "blog" not in nobodys("apps:list").out
    assert [path.name for path in outside.iterdir()] == ["ENV"]


def test_an_app_that_root_moved_to_another_disk_stays_an_app(nobodys: Dokku) -> None:
    made = nobodys.make_app("blog")
    outside = Path(nobodys.log) / "disk"
    made.rename(outside)
    made.symlink_to(outside)
    assert nobodys("apps:exists", "blog").code == 0
    assert "blog" in nobodys("apps:list").out

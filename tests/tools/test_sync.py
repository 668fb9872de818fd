"""git:sync as a user meets it, from real servers; without docker, up to the build, which a plugin does."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.cli.conftest import TREE, Dokku, Result
from tests.git_servers import (
    HTML,
    HttpServer,
    SshServer,
    Upstream,
    answering,
    certificate,
    page,
    redirected,
    reset,
    serving,
    serving_ssh,
    stall,
    truncated,
    unauthorized,
)

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
APP = "blog"
ADVICE = " !     There is no deploy key associated with the dokku user.\n"
UNREADABLE = "fatal: could not read Username for"


@pytest.fixture
def dokku(tmp_path: Path) -> Dokku:
    """A host with one app, whose builder and scheduler are a plugin's, which notes what it is given."""
    (tmp_path / "host").mkdir()
    dokku = Dokku(tmp_path / "host")
    dokku.program(
        "docker",
        '#!/bin/sh\ncase "$*" in\n'
        f'*"image inspect"*) [ -f {dokku.log}/image ] || {{ echo "No such image: x" >&2; exit 1; }}\n'
        f' echo "{{\\"Id\\":\\"$(cat {dokku.log}/image)\\",\\"Config\\":{{}}}}" ;;\n'
        '*"container create"*) echo peek ;;\n'
        '*"container cp"*) echo "Could not find the file /x in container peek" >&2; exit 1 ;;\n'
        '*inspect*) echo "No such container: x" >&2; exit 1 ;;\nesac\n',
    )
    dokku.plugin(
        "00-notes",
        builder_detect="#!/bin/sh\necho notes\n",
        builder_build=(
            '#!/bin/sh\n[ "$1" = notes ] || exit 0\n'
            'if [ -e "$3/fail" ]; then echo "the build failed" >&2; exit 9; fi\n'
            f"date +%N >{dokku.log}/image\n"
            f'(cd "$3" && find . -type f -exec grep -H "" {{}} + | sort) >{dokku.log}/tree\n'
        ),
        scheduler_deploy=f'#!/bin/sh\necho "$*" >>{dokku.log}/deployed\n',
    )
    (dokku.root / "ENV").write_text("DOKKU_SCHEDULER=notes\n")
    dokku("git:set", "--global", "retry-timeout", "30")
    dokku.make_app(APP)
    return dokku


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    """Two commits on main, and each kind of name for the first one."""
    upstream = Upstream(tmp_path / "served")
    upstream.commit(message="first", page="one")
    upstream.branch("feature/x")
    upstream.commit(message="on the side", page="side")
    upstream.git("checkout", "--quiet", "main")
    upstream.tag("v1")
    upstream.tag("v1-annotated", annotated=True)
    upstream.commit(message="second", page="two")
    return upstream


@pytest.fixture
def server(upstream: Upstream) -> Iterator[HttpServer]:
    with serving(upstream.path.parent) as server:
        yield server


@pytest.fixture
def private(upstream: Upstream) -> Iterator[HttpServer]:
    with serving(upstream.path.parent, {"ann": "pass word"}) as server:
        yield server


def git(dokku: Dokku, *words: str, app: str = APP, check: bool = True) -> str:
    """Git in an app's repository, without any settings of ours; its stdout."""
    done = subprocess.run(
        ["git", f"--git-dir={dokku.root / app}", *words],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout.strip()


def state(dokku: Dokku, app: str = APP) -> tuple[str, str, dict[str, bytes]]:
    """What a refused or failed sync must leave as it is: branches, tags, HEAD and properties."""
    found = {}
    for path in (dokku.lib / "config").rglob("*"):
        if path.is_file():
            found[str(path)] = path.read_bytes()
    refs = git(dokku, "for-each-ref", "refs/heads", "refs/tags", "refs/remotes", check=False)
    head = dokku.root / app / "HEAD"
    return refs, head.read_text() if head.exists() else "", found


def temporary(dokku: Dokku) -> list[str]:
    place = dokku.lib / "tmp"
    return [name for name in os.listdir(place) if name != "locks"] if place.exists() else []


def assert_at(dokku: Dokku, commit: str, branch: str, app: str = APP) -> None:
    """The app is exactly at a commit: branch, HEAD, hook, history, and nothing left over."""
    assert git(dokku, "rev-parse", f"refs/heads/{branch}", app=app) == commit
    assert (dokku.root / app / "HEAD").read_text() == f"ref: refs/heads/{branch}\n"
    assert git(dokku, "rev-parse", "HEAD", app=app) == commit
    assert git(dokku, "config", "core.bare", app=app) == "true"
    assert git(dokku, "fsck", "--full", "--strict", "--no-dangling", app=app) == ""
    assert git(dokku, "rev-parse", "--is-shallow-repository", app=app) == "false"
    assert os.access(dokku.root / app / "hooks/pre-receive", os.X_OK)
    assert dokku("git:report", app, "--git-deploy-branch").out.strip() == branch
    assert temporary(dokku) == []


def note(dokku: Dokku, name: str) -> str:
    return (dokku.log / name).read_text() if (dokku.log / name).exists() else ""


def builds(dokku: Dokku) -> int:
    return len(note(dokku, "deployed").splitlines())


# --- from every state, to every kind of ref --------------------------------------------------------------


def no_repository(dokku: Dokku, _upstream: Upstream) -> None:
    for name in ("refs", "objects", "hooks", "HEAD", "config"):
        path = dokku.root / APP / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def empty(dokku: Dokku, _upstream: Upstream) -> None:
    assert dokku("git:initialize", APP).code == 0


def pushed_to(dokku: Dokku, upstream: Upstream) -> None:
    """Another history, on the branch master."""
    empty(dokku, upstream)
    ours = Upstream(dokku.root.parent / "served", "ours.git")
    ours.commit(index="ours")
    git(dokku, "fetch", "--quiet", str(ours.path), "main:master")


def synced_by_a_first_024(dokku: Dokku, upstream: Upstream) -> None:
    """Its clone is copied whole: not bare, packed refs, a remote, branches of the remote's, a log."""
    no_repository(dokku, upstream)
    clone = dokku.root.parent / "clone"
    words = ["git", "clone", "--quiet", "--no-checkout", "--branch=feature/x", str(upstream.path), str(clone)]
    subprocess.run(words, check=True)
    subprocess.run(["git", "-C", str(clone), "branch", "master"], check=True)
    subprocess.run(["git", "-C", str(clone), "checkout", "--quiet", "master"], check=True)
    subprocess.run(["git", "-C", str(clone), "pack-refs", "--all"], check=True)
    shutil.copytree(clone / ".git", dokku.root / APP, dirs_exist_ok=True)
    assert git(dokku, "config", "core.bare") == "false"


def synced_by_a_second_024(dokku: Dokku, upstream: Upstream) -> None:
    """Its fetch mirrors everything into the app's own branches."""
    synced_by_a_first_024(dokku, upstream)
    git(dokku, "remote", "add", "--mirror=fetch", "--no-tags", "remote", str(upstream.path))
    git(dokku, "fetch", "--quiet", "--update-head-ok", "remote")
    git(dokku, "pack-refs", "--all")


def head_at_a_missing_branch(dokku: Dokku, upstream: Upstream) -> None:
    pushed_to(dokku, upstream)
    (dokku.root / APP / "HEAD").write_text("ref: refs/heads/gone\n")


def killed_before(dokku: Dokku, upstream: Upstream) -> None:
    """git removes its lock files when it is terminated, not when it is killed."""
    pushed_to(dokku, upstream)
    top = dokku.root / APP
    (top / "refs/dokku").mkdir()
    for name in ("refs/heads/master.lock", "refs/heads/main.lock", "HEAD.lock", "refs/dokku/sync.lock"):
        (top / name).touch()
    for name in ("packed-refs.lock", "config.lock", "shallow.lock", "objects/pack/tmp_pack_a1b2c3"):
        (top / name).touch()
        os.utime(top / name, (1600000000, 1600000000))
    (top / ".deploy.lock").write_text("somebody, long ago\n")


def detached(dokku: Dokku, upstream: Upstream) -> None:
    pushed_to(dokku, upstream)
    (dokku.root / APP / "HEAD").write_text(git(dokku, "rev-parse", "master") + "\n")


STATES = [
    no_repository,
    empty,
    pushed_to,
    synced_by_a_first_024,
    synced_by_a_second_024,
    head_at_a_missing_branch,
    detached,
    killed_before,
]
NEW = (no_repository, empty)
REFS = ["main", "feature/x", "v1", "v1-annotated", "commit", "short commit", "refs/heads/main"]


@pytest.mark.parametrize("prepare", STATES, ids=lambda prepare: prepare.__name__)
@pytest.mark.parametrize("ref", REFS)
def test_whatever_an_app_was_a_sync_brings_it_to_exactly_that_commit(
    dokku: Dokku, upstream: Upstream, server: HttpServer, prepare: Callable[..., None], ref: str
) -> None:
    """GIT-5, SYN-7"""
    prepare(dokku, upstream)
    first = upstream.tip("v1")
    word = {"commit": first, "short commit": first[:10]}.get(ref, ref)

    synced = dokku("git:sync", APP, server.url(), word)

    assert synced.code == 0, synced
    is_branch = ref in ("main", "feature/x", "refs/heads/main")
    branch = word.removeprefix("refs/heads/") if prepare in NEW and is_branch else "master"
    assert_at(dokku, upstream.tip(word), branch)
    assert note(dokku, "deployed") == ""
    if prepare in NEW:
        assert f"-----> Cloning {APP} from {server.url()}#{word}\n" in synced.out
        assert (f"       Detected branch, setting deploy-branch to {branch}\n" in synced.out) is is_branch
    else:
        assert f"       Fetching remote code for {APP} from {server.url()}#{word}\n" in synced.out


@pytest.mark.parametrize("prepare", STATES, ids=lambda prepare: prepare.__name__)
def test_without_a_ref_the_deploy_branch_is_synced(
    dokku: Dokku, upstream: Upstream, server: HttpServer, prepare: Callable[..., None]
) -> None:
    prepare(dokku, upstream)
    assert dokku("git:set", APP, "deploy-branch", "feature/x").code == 0
    synced = dokku("git:sync", APP, server.url())
    assert synced.code == 0, synced
    assert_at(dokku, upstream.tip("feature/x"), "feature/x")


def test_without_a_ref_and_a_deploy_branch_it_is_master(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    upstream.branch("master")
    tip = upstream.commit(page="of master")
    assert dokku("git:sync", APP, server.url()).code == 0
    assert_at(dokku, tip, "master")


def test_the_first_branch_does_not_become_the_deploy_branch_if_that_is_not_wanted(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    synced = dokku("git:sync", "--skip-deploy-branch", APP, server.url(), "main")
    assert synced.code == 0, synced
    assert "       Detected branch main, skipping deploy-branch setting\n" in synced.out
    assert_at(dokku, upstream.tip("main"), "master")


def test_a_later_branch_does_not_become_the_deploy_branch(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    assert dokku("git:sync", APP, server.url(), "main").code == 0
    assert dokku("git:sync", APP, server.url(), "feature/x").code == 0
    assert_at(dokku, upstream.tip("feature/x"), "main")


def test_flags_stand_where_they_like(dokku: Dokku, upstream: Upstream, server: HttpServer) -> None:
    for words in (("--build", APP, server.url(), "main"), (APP, server.url(), "main", "--build")):
        assert dokku("git:sync", *words).code == 0
    assert builds(dokku) == 2


# --- what happens upstream -------------------------------------------------------------------------------


def test_a_rewritten_branch_is_taken_as_it_is(dokku: Dokku, upstream: Upstream, server: HttpServer) -> None:
    """SYN-7"""
    assert dokku("git:sync", APP, server.url(), "main").code == 0
    upstream.git("reset", "--hard", "--quiet", "HEAD~1")
    tip = upstream.commit(message="instead", page="three")
    assert dokku("git:sync", APP, server.url(), "main").code == 0
    assert_at(dokku, tip, "main")


def test_a_branch_that_went_back_takes_the_app_back(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    assert dokku("git:sync", "--build", APP, server.url(), "main").code == 0
    upstream.git("reset", "--hard", "--quiet", "HEAD~1")
    assert dokku("git:sync", "--build-if-changes", APP, server.url(), "main").code == 0
    assert_at(dokku, upstream.tip("main"), "main")
    assert note(dokku, "tree") == "./page:one\n"


def test_another_repository_with_another_history_replaces_the_first(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    """SYN-7"""
    assert dokku("git:sync", APP, server.url(), "main").code == 0
    other = Upstream(upstream.path.parent, "other.git")
    tip = other.commit(page="of another")
    assert dokku("git:sync", APP, server.url("other.git"), "main").code == 0
    assert_at(dokku, tip, "main")


def test_unrelated_histories_in_one_repository_replace_each_other(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    """SYN-7"""
    tip = upstream.unrelated("fresh", page="start")
    assert dokku("git:sync", APP, server.url(), "main").code == 0
    assert dokku("git:sync", APP, server.url(), "fresh").code == 0
    assert_at(dokku, tip, "main")


@pytest.mark.parametrize("annotated", [False, True])
def test_a_moved_tag_is_followed(
    dokku: Dokku, upstream: Upstream, server: HttpServer, annotated: bool
) -> None:
    """SYN-7"""
    upstream.tag("release", "v1", annotated)
    assert dokku("git:sync", "--build", APP, server.url(), "release").code == 0
    assert_at(dokku, upstream.tip("v1"), "master")
    upstream.tag("release", "main", annotated)
    assert dokku("git:sync", "--build-if-changes", APP, server.url(), "release").code == 0
    assert_at(dokku, upstream.tip("main"), "master")
    assert builds(dokku) == 2


def test_a_tag_of_a_tag_leads_to_the_commit(dokku: Dokku, upstream: Upstream, server: HttpServer) -> None:
    """GIT-5, SYN-7"""
    upstream.tag("outer", "v1-annotated", annotated=True)
    assert dokku("git:sync", APP, server.url(), "outer").code == 0
    assert_at(dokku, upstream.tip("v1"), "master")


@pytest.mark.parametrize("kind", ["tree", "blob"])
def test_a_tag_of_no_commit_is_refused(
    dokku: Dokku, upstream: Upstream, server: HttpServer, kind: str
) -> None:
    """GIT-5"""
    upstream.git("tag", "odd", {"tree": "main^{tree}", "blob": "main:page"}[kind])
    before = state(dokku)
    synced = dokku("git:sync", APP, server.url(), "odd")
    assert synced.code == 1, synced
    assert " !     " in synced.err
    assert "Traceback" not in synced.err
    assert state(dokku) == before


def test_a_branch_is_meant_rather_than_a_tag_of_its_name(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    """GIT-5"""
    upstream.tag("both", "v1")
    upstream.git("branch", "both", "main")
    assert dokku("git:sync", APP, server.url(), "both").code == 0
    assert_at(dokku, upstream.tip("main"), "both")
    assert dokku("git:sync", APP, server.url(), "refs/tags/both").code == 0
    assert_at(dokku, upstream.tip("v1"), "both")


def test_a_branch_that_became_a_directory_of_branches_is_synced(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    """GIT-17, SYN-7: git can't hold feature and feature/x at once."""
    upstream.git("branch", "--move", "feature/x", "feature")
    assert dokku("git:sync", APP, server.url(), "feature").code == 0
    upstream.git("branch", "--move", "feature", "feature/x")
    assert dokku("git:sync", APP, server.url(), "feature/x").code == 0
    assert_at(dokku, upstream.tip("feature/x"), "feature")


@pytest.mark.parametrize(("standing", "wanted"), [("main/old", "main"), ("feature", "feature/x")])
@pytest.mark.parametrize("packed", [False, True])
def test_a_branch_in_the_way_of_the_deploy_branch_is_named_before_anything_is_built(
    dokku: Dokku, upstream: Upstream, server: HttpServer, standing: str, wanted: str, packed: bool
) -> None:
    """GIT-17: the app's code is never lost."""
    pushed_to(dokku, upstream)
    git(dokku, "branch", "--move", "master", standing)
    if packed:
        git(dokku, "pack-refs", "--all")
    before = state(dokku)

    synced = dokku("git:sync", "--build", APP, server.url(), wanted)

    refusal = f" !     Branch {standing} of {APP} is in the way of {wanted}, git can't have both\n"
    assert (synced.err, synced.code) == (refusal, 1)
    assert state(dokku) == before
    assert builds(dokku) == 0
    git(dokku, "branch", "--move", standing, "other")
    assert dokku("git:sync", "--build", APP, server.url(), wanted).code == 0
    assert_at(dokku, upstream.tip(wanted), wanted)


def test_a_host_that_hands_out_no_single_commits_has_them_in_its_branches(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    upstream.git("config", "uploadpack.allowAnySHA1InWant", "false")
    upstream.git("config", "protocol.version", "0")
    commit = upstream.tip("v1")
    assert dokku("git:sync", APP, server.url(), commit).code == 0
    assert_at(dokku, commit, "master")


# --- building --------------------------------------------------------------------------------------------


def test_a_sync_that_builds_tells_the_app_its_commit(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    for ref in ("v1-annotated", "main"):
        synced = dokku("git:sync", "--build", APP, server.url(), ref)
        assert synced.code == 0, synced
        assert synced.out.count("Application deployed") == 1
        assert dokku("config:get", APP, "GIT_REV").out.strip() == upstream.tip(ref)
    assert note(dokku, "tree") == "./page:two\n"


def test_an_unchanged_repository_is_not_built_again(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    """GIT-15, SYN-8"""
    words = ("git:sync", "--build-if-changes", APP, server.url(), "main")
    assert dokku(*words).code == 0
    again = dokku(*words)
    assert again.code == 0
    assert "       Skipping build as no changes were detected\n" in again.out
    assert builds(dokku) == 1
    upstream.commit(page="three")
    assert dokku(*words).code == 0
    assert builds(dokku) == 2


def test_the_last_of_the_two_build_flags_counts(dokku: Dokku, upstream: Upstream, server: HttpServer) -> None:
    both, words = ("--build", "--build-if-changes"), (APP, server.url(), "main")
    for _ in range(2):
        assert dokku("git:sync", *both, *words).code == 0
    assert builds(dokku) == 1
    assert dokku("git:sync", *reversed(both), *words).code == 0
    assert builds(dokku) == 2


def test_nothing_is_transferred_when_nothing_is_new(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    for ref in ("main", "v1-annotated", upstream.tip("main")):
        assert dokku("git:sync", APP, server.url(), ref).code == 0
        server.recover()
        before = git(dokku, "count-objects", "-v")
        assert dokku("git:sync", APP, server.url(), ref).code == 0
        assert server.count(asked="fetch") == 0
        assert git(dokku, "count-objects", "-v") == before


def test_only_what_was_asked_for_is_transferred(dokku: Dokku, upstream: Upstream, server: HttpServer) -> None:
    """GIT-14"""
    side = upstream.tip("feature/x")
    assert dokku("git:sync", APP, server.url(), "main").code == 0
    assert git(dokku, "cat-file", "-t", side, check=False) == ""


def test_a_failed_build_leaves_what_was_fetched(dokku: Dokku, upstream: Upstream, server: HttpServer) -> None:
    """CRS-8"""
    assert dokku("git:sync", "--build", APP, server.url(), "main").code == 0
    tip = upstream.commit(fail="yes")
    synced = dokku("git:sync", "--build", APP, server.url(), "main")
    assert synced.code != 0
    assert "the build failed" in synced.err
    assert_at(dokku, tip, "main")


def test_a_sync_waits_for_no_other_deploy(dokku: Dokku, upstream: Upstream, server: HttpServer) -> None:
    assert dokku("git:sync", APP, server.url(), "v1").code == 0
    before = state(dokku)
    assert dokku("apps:lock", APP).code == 0
    synced = dokku("git:sync", "--build", APP, server.url(), "main")
    assert synced.code == 1
    assert f"{APP} currently has a deploy lock in place. Exiting..." in synced.err
    assert state(dokku) == before
    assert dokku("apps:unlock", APP).code == 0
    assert dokku("git:sync", "--build", APP, server.url(), "main").code == 0


def test_of_syncs_at_once_one_deploys_and_the_others_say_why_not(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    """LCK-2, LCK-11"""
    server.delay = 0.3
    results: list[Result] = []

    def sync() -> None:
        results.append(dokku("git:sync", "--build", APP, server.url(), "main"))

    threads = [threading.Thread(target=sync) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [result for result in results if result.code == 0]
    assert len(won) == builds(dokku) >= 1
    assert all("deploy lock in place" in result.err for result in results if result.code)
    assert_at(dokku, upstream.tip("main"), "main")


# --- submodules ------------------------------------------------------------------------------------------


@pytest.fixture
def library(upstream: Upstream) -> Upstream:
    library = Upstream(upstream.path.parent, "library.git")
    library.commit(code="of the library")
    return library


@pytest.mark.parametrize("relative", [True, False])
def test_submodules_are_relative_to_where_the_app_comes_from(
    dokku: Dokku, upstream: Upstream, server: HttpServer, library: Upstream, relative: bool
) -> None:
    """GIT-8"""
    url = "../library.git" if relative else server.url("library.git")
    upstream.submodule("vendor/library", url, library.tip("main"))
    synced = dokku("git:sync", "--build", APP, server.url(), "main")
    assert synced.code == 0, synced
    assert "./vendor/library/code:of the library\n" in note(dokku, "tree")
    assert ".git/" not in note(dokku, "tree")


def test_submodules_of_submodules_are_relative_to_their_own(
    dokku: Dokku, upstream: Upstream, server: HttpServer, library: Upstream
) -> None:
    inner = Upstream(upstream.path.parent, "inner.git")
    commit = inner.commit(code="innermost")
    upstream.submodule("a", "../library.git", library.submodule("b", "../inner.git", commit))
    synced = dokku("git:sync", "--build", APP, server.url(), "main")
    assert synced.code == 0, synced
    assert "./a/b/code:innermost\n" in note(dokku, "tree")


def test_submodules_end_at_a_depth_that_nobody_needs(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    """GIT-8"""
    inner, commit = "", ""
    for depth in range(11):
        module = Upstream(upstream.path.parent, f"level{depth}.git")
        commit = module.submodule("a", inner, commit) if inner else module.commit(code="innermost")
        inner = f"../level{depth}.git"
    upstream.submodule("a", inner, commit)
    synced = dokku("git:sync", "--build", APP, server.url(), "main")
    assert synced.code == 1
    assert synced.err.splitlines()[-1] == " !     Submodules are nested more than 10 levels deep"
    assert builds(dokku) == 0
    assert temporary(dokku) == []


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% {canary}",
        "file://{served}/library.git",
        "{served}/library.git",
        "-u{canary}",
        "--upload-pack=touch {canary}",
        "ssh://-oProxyCommand=touch {canary}/x",
        "canary::x",
        "http://127.0.0.1:9/nobody.git",
    ],
)
def test_submodules_from_elsewhere_fail_the_deploy(
    dokku: Dokku, upstream: Upstream, server: HttpServer, library: Upstream, tmp_path: Path, url: str
) -> None:
    """GIT-8"""
    canary = tmp_path / "canary"
    dokku.program("git-remote-canary", f"#!/bin/sh\ntouch {canary}\n")
    address = url.format(canary=canary, served=upstream.path.parent)
    upstream.submodule("vendor", address, library.tip("main"))
    synced = dokku("git:sync", "--build", APP, server.url(), "main")
    assert synced.code != 0
    assert "Traceback" not in synced.err
    assert not canary.exists()
    assert builds(dokku) == 0
    assert "of the library" not in note(dokku, "tree")
    assert temporary(dokku) == []


# --- refusals --------------------------------------------------------------------------------------------


REMOTES = [
    "ext::sh -c touch% {canary}",
    "--upload-pack=touch {canary}",
    "-u touch",
    "-c core.sshCommand=touch",
    "canary::x",
    "canary://x/y",
    "fd::17",
    "file://{served}/blog.git",
    "{served}/blog.git",
    "./blog.git",
    "blog.git",
    "../served/blog.git",
    "{served}/bundle",
    "rsync://127.0.0.1/blog.git",
    "ftp://127.0.0.1/blog.git",
    "ftps://127.0.0.1/blog.git",
    "HTTP:/{host}/blog.git",
    "http://",
    "http:///blog.git",
    "http://{host}/blog.git\n",
    "http://{host}/blog.git\nHost: x",
    "http://{host}/blog.git\x1b[2J",
    " http://{host}/blog.git",
    "http://{host}/blog.git ",
    "http://{host}/a b",
    "http://{host}/" + "x" * 4096,
    "ssh://-oProxyCommand=touch%20{canary}/x",
    "ssh://a@-oProxyCommand=touch {canary}/x",
    "-oProxyCommand=touch {canary}:x",
    "a@-oProxyCommand=touch {canary}:x",
    "ssh://127.0.0.1/-x\n",
]


@pytest.mark.parametrize("remote", REMOTES)
@pytest.mark.parametrize("prepare", [empty, pushed_to], ids=["new app", "app with code"])
def test_what_is_no_remote_is_refused_before_git_sees_it(
    dokku: Dokku,
    upstream: Upstream,
    server: HttpServer,
    tmp_path: Path,
    prepare: Callable[..., None],
    remote: str,
) -> None:
    """RUN-2, GIT-1, GIT-2, GIT-3"""
    canary = tmp_path / "canary"
    dokku.program("git-remote-canary", f"#!/bin/sh\ntouch {canary}\n")
    upstream.git("bundle", "create", str(upstream.path.parent / "bundle"), "main")
    prepare(dokku, upstream)
    before = state(dokku)

    word = remote.format(canary=canary, served=upstream.path.parent, host=server.host)
    synced = dokku("git:sync", APP, word, "main", cwd=upstream.path.parent)

    assert synced.code == (2 if word.startswith("-") else 1), synced  # 2: no flag of ours
    assert re.fullmatch(r" !     [^\n\x1b]+\n", synced.err), synced
    assert not canary.exists()
    assert server.requests == []
    assert state(dokku) == before


REFUSED_REFS = [
    *(
        "-x",
        "--upload-pack=touch {canary}",
        "a..b",
        "a~1",
        "a^",
        "a:b",
        "+main",
        "@{{-1}}",
        "@",
        "a b",
        " main",
    ),
    *(
        "main\n",
        "main\nx",
        "refs/heads/../x",
        "a.lock",
        ".a",
        "a/",
        "/a",
        "a//b",
        "a.",
        "a?",
        "a*",
        "a[",
        "a\\b",
    ),
    *("\x1b[2J", "main^{{commit}}", "a@{{1}}", ":/first", "é" * 300),
]


@pytest.mark.parametrize("ref", REFUSED_REFS)
def test_what_is_no_ref_is_refused_before_git_sees_it(
    dokku: Dokku, upstream: Upstream, server: HttpServer, tmp_path: Path, ref: str
) -> None:
    """RUN-2, NAME-10"""
    canary = tmp_path / "canary"
    pushed_to(dokku, upstream)
    before = state(dokku)
    synced = dokku("git:sync", APP, server.url(), ref.format(canary=canary))
    assert synced.code == (2 if ref.startswith("-") else 1), synced
    assert " !     " in synced.err
    assert "Traceback" not in synced.err
    assert "\x1b" not in synced.err
    assert not canary.exists()
    assert server.count(asked="fetch") == 0
    assert state(dokku) == before


def test_git_lets_no_other_protocol_through_whatever_its_settings_say(
    dokku: Dokku, upstream: Upstream, server: HttpServer, tmp_path: Path
) -> None:
    """GIT-2, GIT-4: The administrator's own rewriting of addresses leads to no program."""
    canary = tmp_path / "canary"
    (dokku.root / ".gitconfig").write_text(
        f'[protocol "ext"]\n\tallow = always\n[protocol]\n\tallow = always\n'
        f'[url "ext::sh -c touch% {canary}% "]\n\tinsteadOf = http://rewritten/\n'
    )
    synced = dokku("git:sync", APP, "http://rewritten/blog.git", "main")
    assert synced.code == 1
    assert not canary.exists()


def test_missing_words_are_named(dokku: Dokku) -> None:
    assert dokku("git:sync").err == " !     Please specify an app to run the command on\n"
    missing = dokku("git:sync", "nope", "http://127.0.0.1:9/x")
    assert (missing.err, missing.code) == (" !     App nope does not exist\n", 20)
    nowhere = dokku("git:sync", APP)
    assert (nowhere.err, nowhere.code) == (" !     Missing GIT_REMOTE parameter\n", 1)


@pytest.mark.parametrize("prepare", [empty, pushed_to], ids=["new app", "app with code"])
@pytest.mark.parametrize(
    "trouble", ["page", "empty", "no such ref", "no such commit", "no such short commit"]
)
def test_what_has_no_such_commit_changes_nothing_and_is_asked_once(
    dokku: Dokku, upstream: Upstream, server: HttpServer, prepare: Callable[..., None], trouble: str
) -> None:
    """GIT-5, GIT-6"""
    prepare(dokku, upstream)
    before = state(dokku)
    name, ref = "blog.git", "main"
    if trouble == "page":
        server.fail(page, times=9)
    elif trouble == "empty":
        name = Upstream(upstream.path.parent, "empty.git").name
    else:
        ref = {"no such ref": "nope", "no such commit": "ab" * 20, "no such short commit": "abcdef12"}[
            trouble
        ]

    synced = dokku("git:sync", "--build", APP, server.url(name), ref)

    assert synced.code == 1, synced
    last = synced.err.splitlines()[-1]
    assert last.startswith(" !     ")
    assert server.url(name) in last
    assert ref in last
    assert "attempt" not in synced.err
    assert "Traceback" not in synced.err
    assert HTML.decode() not in synced.err
    assert builds(dokku) == 0
    assert state(dokku) == before


def test_a_redirect_to_another_protocol_is_not_followed(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    """GIT-2"""
    before = state(dokku)
    server.fail(redirected(f"file://{upstream.path}"), times=9)
    assert dokku("git:sync", APP, server.url(), "main").code == 1
    assert state(dokku) == before


def test_a_repository_that_moved_is_followed(dokku: Dokku, upstream: Upstream, server: HttpServer) -> None:
    address = server.url("blog.git/info/refs?service=git-upload-pack")
    server.fail(redirected(address), at="/old.git")
    assert dokku("git:sync", APP, server.url("old.git"), "main").code == 0
    assert_at(dokku, upstream.tip("main"), "main")


# --- the network -----------------------------------------------------------------------------------------


PASSING = {
    "503": answering(503),
    "500": answering(500),
    "408": answering(408),
    "429": answering(429, retry_after="1"),
    "reset": reset,
}


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("prepare", [empty, pushed_to], ids=["new app", "app with code"])
def test_what_passes_by_itself_is_tried_again_and_told(
    dokku: Dokku, upstream: Upstream, server: HttpServer, prepare: Callable[..., None], kind: str
) -> None:
    """SYN-1"""
    prepare(dokku, upstream)
    server.fail(PASSING[kind])
    synced = dokku("git:sync", APP, server.url(), "main")
    assert synced.code == 0, synced
    assert len(re.findall(r"(?m)^ !     .*attempt 2 of 4 in [0-9.]+ seconds$", synced.err)) == 1
    assert server.attempts == 2
    assert_at(dokku, upstream.tip("main"), "main" if prepare is empty else "master")


def test_a_pack_that_breaks_off_is_fetched_again(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    """SYN-1"""
    server.fail(truncated, at="fetch")
    synced = dokku("git:sync", APP, server.url(), "main")
    assert synced.code == 0, synced
    assert server.count(asked="fetch") == 2
    assert_at(dokku, upstream.tip("main"), "main")


def test_patience_ends_after_four_attempts(dokku: Dokku, upstream: Upstream, server: HttpServer) -> None:
    """SYN-1, SYN-4"""
    before = state(dokku)
    server.fail(answering(503), times=9)
    synced = dokku("git:sync", APP, server.url(), "main")
    assert synced.code == 1
    assert server.attempts == 4
    assert synced.err.count(" of 4 in ") == 3
    assert synced.err.splitlines()[-1].startswith(" !     ")
    assert "error: 503" in synced.err
    assert state(dokku) == before


def test_patience_ends_when_its_time_is_up(dokku: Dokku, upstream: Upstream, server: HttpServer) -> None:
    """SYN-1"""

    def slowly(handler: BaseHTTPRequestHandler, body: bytes) -> int:
        time.sleep(0.7)
        return answering(503)(handler, body)  # type: ignore[arg-type]

    dokku("git:set", "--global", "retry-timeout", "1")
    server.fail(slowly, times=9)
    assert dokku("git:sync", APP, server.url(), "main").code == 1
    assert 1 <= server.attempts <= 2


def test_a_server_that_falls_silent_is_given_up(dokku: Dokku, upstream: Upstream, server: HttpServer) -> None:
    """SYN-4, SYN-5: by the ceiling; git itself gives up after a minute of silence."""
    dokku("git:set", "--global", "fetch-timeout", "1")
    dokku("git:set", "--global", "retry-timeout", "1")
    before = state(dokku)
    server.fail(stall, times=9)
    synced = dokku("git:sync", APP, server.url(), "main")
    assert synced.code == 1, synced
    assert "did not finish within 1 seconds" in synced.err
    assert state(dokku) == before
    assert temporary(dokku) == []


REFUSING = {"401": unauthorized, "403": answering(403), "404": answering(404), "410": answering(410)}


@pytest.mark.parametrize("kind", REFUSING)
def test_what_does_not_pass_is_asked_once(
    dokku: Dokku, upstream: Upstream, server: HttpServer, kind: str
) -> None:
    """SYN-2"""
    before = state(dokku)
    server.fail(REFUSING[kind], times=9)
    synced = dokku("git:sync", APP, server.url(), "main")
    assert synced.code == 1, synced
    assert len(server.requests) == 1
    assert (ADVICE in synced.err) is (kind in ("401", "403"))
    assert state(dokku) == before


def test_nobody_at_the_other_end(dokku: Dokku, upstream: Upstream) -> None:
    dokku("git:set", "--global", "retry-timeout", "1")
    before = state(dokku)
    synced = dokku("git:sync", APP, "http://127.0.0.1:9/blog.git", "main")
    assert synced.code == 1
    assert "Failed to connect to 127.0.0.1 port 9" in synced.err
    assert state(dokku) == before


# --- private repositories --------------------------------------------------------------------------------


@pytest.mark.parametrize("prepare", [empty, pushed_to], ids=["new app", "app with code"])
def test_without_credentials_there_is_advice_and_after_git_auth_it_works(
    dokku: Dokku, upstream: Upstream, private: HttpServer, prepare: Callable[..., None]
) -> None:
    """IO-11"""
    prepare(dokku, upstream)
    before = state(dokku)

    refused = dokku("git:sync", APP, private.url(), "main")

    assert refused.code == 1
    assert refused.err.count(UNREADABLE) == 1
    assert refused.err.count(ADVICE) == 1
    assert "netrc authentication via the git:auth command" in refused.err
    assert len(private.requests) == 1
    assert state(dokku) == before

    assert dokku("git:auth", private.host, "ann", input="pass word\n").code == 0
    synced = dokku("git:sync", APP, private.url(), "main")

    assert synced.code == 0, synced
    assert set(private.logins) == {"ann:pass word"}
    assert_at(dokku, upstream.tip("main"), "main" if prepare is empty else "master")

    assert dokku("git:auth", private.host).code == 0
    assert dokku("git:sync", APP, private.url(), "main").code == 1


def test_a_wrong_password_is_tried_exactly_once(
    dokku: Dokku, upstream: Upstream, private: HttpServer
) -> None:
    """SYN-2"""
    assert dokku("git:auth", private.host, "ann", input="wrong\n").code == 0
    before = state(dokku)
    synced = dokku("git:sync", APP, private.url(), "main")
    assert synced.code == 1
    assert synced.err.count("fatal: Authentication failed for") == 1
    assert private.logins == ["ann:wrong"]
    assert " !     127.0.0.1 refused the netrc authentication, the git:auth command" in synced.err
    assert "wrong" not in synced.out + synced.err
    assert state(dokku) == before


PASSWORDS = ["plain", " blank in front", "tab\there", "#hash", 'dou"ble', "sin'gle", "back\\slash", "-dash"]


@pytest.mark.parametrize("password", [*PASSWORDS, "machine x login y", "pä55wörd ☃", "x" * 300, "a:b@c/d%20"])
def test_every_password_arrives_as_it_was_given(dokku: Dokku, upstream: Upstream, password: str) -> None:
    """NET-5"""
    with serving(upstream.path.parent, {"ann": password}) as server:
        assert dokku("git:auth", server.host, "ann", input=f"{password}\n").code == 0
        synced = dokku("git:sync", APP, server.url(), "main")
        assert synced.code == 0, synced
        assert set(server.logins) == {f"ann:{password}"}


def test_credentials_in_an_address_work_and_stay_out_of_sight(
    dokku: Dokku, upstream: Upstream, private: HttpServer
) -> None:
    """SEC-4"""
    synced = dokku("git:sync", "--build", APP, private.url(login="ann:pass%20word"), "main")
    assert synced.code == 0, synced
    assert "pass%20word" not in synced.out + synced.err
    assert "pass word" not in synced.out + synced.err
    assert f"from {private.url()}#main" in synced.out
    for top in (dokku.root, dokku.lib, dokku.log):
        for path in top.rglob("*"):
            if path.is_file():
                assert not re.search(b"pass( |%20)word", path.read_bytes()), path


def test_wrong_credentials_in_an_address_are_tried_once(
    dokku: Dokku, upstream: Upstream, private: HttpServer
) -> None:
    synced = dokku("git:sync", APP, private.url(login="ann:se3cret"), "main")
    assert synced.code == 1
    assert private.logins == ["ann:se3cret"]
    assert "se3cret" not in synced.out + synced.err


def test_submodules_of_a_private_repository_are_private_too(
    dokku: Dokku, upstream: Upstream, private: HttpServer, library: Upstream
) -> None:
    upstream.submodule("vendor", "../library.git", library.tip("main"))
    assert dokku("git:auth", private.host, "ann", input="pass word\n").code == 0
    synced = dokku("git:sync", "--build", APP, private.url(), "main")
    assert synced.code == 0, synced
    assert "./vendor/code:of the library\n" in note(dokku, "tree")


def test_a_certificate_that_nobody_knows_is_refused_once_and_works_when_it_is_known(
    dokku: Dokku, upstream: Upstream, tmp_path: Path
) -> None:
    """SYN-2"""
    with serving(upstream.path.parent, {"ann": "secret"}, certificate(tmp_path)) as server:
        assert dokku("git:auth", server.host, "ann", input="secret\n").code == 0
        before = state(dokku)
        refused = dokku("git:sync", APP, server.url(), "main")
        assert refused.code == 1
        assert "certificate" in refused.err
        assert "attempt" not in refused.err
        assert server.requests == []
        assert state(dokku) == before

        (dokku.root / ".gitconfig").write_text(f"[http]\n\tsslCAInfo = {tmp_path}/tls.crt\n")
        synced = dokku("git:sync", APP, server.url(), "main")
        assert synced.code == 0, synced
        assert_at(dokku, upstream.tip("main"), "main")


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[SshServer]:
    if shutil.which("sshd", path="/usr/sbin:/sbin:/usr/bin") is None:
        pytest.skip("there is no sshd")
    with serving_ssh(tmp_path / "ssh") as server:
        yield server


@pytest.mark.parametrize("prepare", [empty, pushed_to], ids=["new app", "app with code"])
def test_a_deploy_key_opens_a_repository_over_ssh(
    dokku: Dokku, upstream: Upstream, ssh: SshServer, prepare: Callable[..., None]
) -> None:
    prepare(dokku, upstream)
    before, remote = state(dokku), ssh.url(upstream.path)

    unknown = dokku("git:sync", APP, remote, "main")
    assert unknown.code == 1
    assert unknown.err.count("Host key verification failed") == 1
    assert ADVICE not in unknown.err

    assert dokku("git:allow-host", ssh.host).code == 0
    strange = dokku("git:sync", APP, remote, "main")
    assert strange.code == 1
    assert strange.err.count("Permission denied (publickey") == 1
    assert strange.err.count(ADVICE) == 1

    assert dokku("git:generate-deploy-key").code == 0
    known = dokku("git:sync", APP, remote, "main")
    assert known.code == 1
    assert ADVICE not in known.err
    assert "git:public-key" in known.err
    assert state(dokku) == before

    ssh.allow(dokku("git:public-key").out)
    synced = dokku("git:sync", "--build", APP, remote, "main")
    assert synced.code == 0, synced
    assert_at(dokku, upstream.tip("main"), "main" if prepare is empty else "master")
    assert note(dokku, "tree") == "./page:two\n"


def test_an_address_in_the_manner_of_scp_is_a_remote(
    dokku: Dokku, upstream: Upstream, ssh: SshServer
) -> None:
    """git@host:path has no room for a port; ssh's own configuration has."""
    assert dokku("git:generate-deploy-key").code == 0
    ssh.allow(dokku("git:public-key").out)
    (dokku.root / ".ssh/known_hosts").write_text(ssh.host_key)
    (dokku.root / ".ssh/config").write_text(f"Host forge\n\tHostName 127.0.0.1\n\tPort {ssh.port}\n")
    synced = dokku("git:sync", APP, f"{ssh.user}@forge:{upstream.path}", "main")
    assert synced.code == 0, synced
    assert_at(dokku, upstream.tip("main"), "main")


def test_a_host_key_that_changed_is_refused_once(dokku: Dokku, upstream: Upstream, ssh: SshServer) -> None:
    """SYN-2"""
    assert dokku("git:generate-deploy-key").code == 0
    ssh.allow(dokku("git:public-key").out)
    other = dokku.make_app("key") / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    (dokku.root / ".ssh/known_hosts").write_text(
        f"[127.0.0.1]:{ssh.port} " + " ".join(Path(f"{other}.pub").read_text().split()[:2]) + "\n"
    )
    synced = dokku("git:sync", APP, ssh.url(upstream.path), "main")
    assert synced.code == 1
    assert "Host key verification failed" in synced.err
    assert "attempt" not in synced.err
    assert ssh.log.count("Accepted") == 0


# --- kill -9 ---------------------------------------------------------------------------------------------


def started(dokku: Dokku, *words: str) -> subprocess.Popen[bytes]:
    """A dokku in a process group of its own, to be killed as a whole."""
    return subprocess.Popen(
        [str(TREE / "bin/dokku"), *words],
        env=dokku.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def is_unchanged_or_complete(dokku: Dokku, before: tuple[object, ...], tip: str, branch: str) -> bool:
    if state(dokku)[0] == before[0]:
        return True
    return git(dokku, "rev-parse", f"refs/heads/{branch}") == tip


@pytest.mark.parametrize("prepare", [empty, synced_by_a_second_024], ids=["new app", "app of 0.24"])
@pytest.mark.parametrize("at", ["/info/refs", "ls-refs", "fetch", "half a pack"])
def test_a_sync_that_is_killed_while_the_server_answers_needs_no_help(
    dokku: Dokku, upstream: Upstream, server: HttpServer, prepare: Callable[..., None], at: str
) -> None:
    """CRS-6, SYN-6"""
    prepare(dokku, upstream)
    (upstream.tree / "big").write_bytes(os.urandom(2_000_000))
    tip = upstream.commit(page="three")
    branch = "main" if prepare is empty else "master"
    git(dokku, "update-ref", "-d", "refs/heads/main", check=False)
    before = state(dokku)
    victim: list[subprocess.Popen[bytes]] = []
    ready = threading.Event()

    def kill() -> None:
        ready.wait(timeout=30)
        os.killpg(victim[0].pid, signal.SIGKILL)

    def killing(handler: object, body: bytes) -> int:
        if at == "half a pack":
            try:
                return truncated(handler, body)  # type: ignore[arg-type]
            finally:
                kill()
        kill()
        return 0

    server.fail(killing, at="fetch" if at == "half a pack" else at)
    victim.append(started(dokku, "git:sync", APP, server.url(), "main"))
    ready.set()
    assert victim[0].wait(timeout=60) == -signal.SIGKILL
    assert is_unchanged_or_complete(dokku, before, tip, branch)

    server.recover()
    synced = dokku("git:sync", "--build", APP, server.url(), "main")
    assert synced.code == 0, synced
    assert_at(dokku, tip, branch)
    assert builds(dokku) == 1


# What changes names on a disk, by the word of the git that does it, and how often at most to begin with.
STRACED = [
    ("init", "mkdir", 5),
    ("init", "rename", 3),
    ("config", "rename", 1),
    ("fetch", "mkdir", 2),
    ("fetch", "link", 2),
    ("fetch", "unlink", 3),
    ("fetch", "rename", 2),
    ("update-ref", "rename", 1),
    ("symbolic-ref", "rename", 1),
]


@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")
@pytest.mark.parametrize(("word", "call", "most"), STRACED, ids=lambda value: str(value))
def test_a_sync_that_is_killed_where_git_changes_a_name_needs_no_help(
    dokku: Dokku, upstream: Upstream, server: HttpServer, word: str, call: str, most: int
) -> None:
    """CRS-6, SYN-6: git dies at the system call itself, and dokku at once after it."""
    program, log = shutil.which("git"), dokku.root.parent / "strace"
    head_at_a_missing_branch(dokku, upstream)
    git(dokku, "config", "core.bare", "false")
    if word == "init":
        no_repository(dokku, upstream)
    kept = dokku.root.parent / "kept"
    shutil.copytree(dokku.root, kept / "root")
    shutil.copytree(dokku.lib, kept / "lib")
    before, kills = state(dokku), 0
    branch = "main" if word == "init" else "master"
    for number in range(1, most + 1):
        for name in ("root", "lib"):
            shutil.rmtree(getattr(dokku, name))
            shutil.copytree(kept / name, getattr(dokku, name))
        traced = f"trace=/^{call}(at|at2)?$"
        inject = f"inject=/^{call}(at|at2)?$:signal=KILL:when={number}"
        dokku.program(
            "git",
            f'#!/bin/sh\ncase " $* " in *" {word} "*) ;; *) exec {program} "$@" ;; esac\n'
            f"strace -f -q -o {log} -e '{traced}' -e '{inject}' {program} \"$@\"; status=$?\n"
            f"! grep -q 'killed by SIGKILL' {log} || kill -9 $PPID\nexit $status\n",
        )
        killed = dokku("git:sync", APP, server.url(), "main")
        kills += killed.code == -signal.SIGKILL  # each process counts for itself: the last may not get there
        (dokku.bin / "git").unlink()
        assert is_unchanged_or_complete(dokku, before, upstream.tip("main"), branch), number
        synced = dokku("git:sync", APP, server.url(), "main")
        assert synced.code == 0, (number, synced)
        assert_at(dokku, upstream.tip("main"), branch)
    assert kills


def test_a_sync_that_is_killed_after_the_fetch_is_built_by_the_next(
    dokku: Dokku, upstream: Upstream, server: HttpServer
) -> None:
    (dokku.lib / "failpoints").touch()
    words = ("git:sync", "--build-if-changes", APP, server.url(), "main")
    before = state(dokku)
    process = subprocess.run(
        [str(TREE / "bin/dokku"), *words],
        env={**dokku.environment, "DOKKU_TEST_FAILPOINT": "fetched:kill9"},
        capture_output=True,
        check=False,
        start_new_session=True,
    )
    if os.geteuid() != 0:
        pytest.skip("failpoints are root's")
    assert process.returncode == -signal.SIGKILL
    assert state(dokku) == before
    assert dokku(*words).code == 0
    assert builds(dokku) == 1
    assert_at(dokku, upstream.tip("main"), "main")


def test_a_killed_lock_holder_holds_nothing(dokku: Dokku, upstream: Upstream, server: HttpServer) -> None:
    """LCK-3: The lock is the kernel's: what a file says of its last holder locks nobody out."""
    server.fail(stall)
    victim = started(dokku, "git:sync", APP, server.url(), "main")
    deadline = threading.Event()
    while not server.requests:
        assert not deadline.wait(0.02)
    held = dokku("git:sync", APP, server.url(), "main")
    assert held.code == 1
    assert "deploy lock in place" in held.err
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait(timeout=30)
    assert dokku("git:sync", APP, server.url(), "main").code == 0


# --- secrets ---------------------------------------------------------------------------------------------


class Sampler:
    """Reads the words and the environment of every process that began after it, all the time."""

    def __init__(self, secret: str) -> None:
        self.secret, self.found, self.seen = secret.encode(), set[str](), set[int]()
        self.old = set(self._processes())
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Sampler":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.ended.wait(0.01):
            for pid in set(self._processes()) - self.old:
                for name in ("cmdline", "environ"):
                    try:
                        text = Path(f"/proc/{pid}/{name}").read_bytes()
                    except OSError:
                        continue
                    self.seen.add(pid)
                    if self.secret in text:
                        self.found.add(f"{name}: {text!r}")

    @staticmethod
    def _processes() -> list[int]:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def test_the_sampler_sees_a_secret_that_is_shown() -> None:
    with Sampler("shown-3f9a") as sampler:
        subprocess.run(["sh", "-c", "sleep 0.3; :", "shown-3f9a"], check=True)
    assert sampler.found


def test_a_password_is_seen_nowhere_but_in_the_netrc(
    dokku: Dokku, upstream: Upstream, tmp_path: Path
) -> None:
    """NET-9, SEC-1: no process's words or environment, no file, no output, also with --trace."""
    secret = os.urandom(16).hex()
    said = []
    with serving(upstream.path.parent, {"ann": secret}) as server, Sampler(secret) as sampler:
        server.delay = 0.1
        for words in (
            ("--trace", "git:auth", server.host, "ann"),
            ("--trace", "git:sync", "--build", APP, server.url(), "main"),
            ("--trace", "git:sync", "--build", APP, server.url(), "nope"),
            ("git:report", APP, "--format", "json"),
        ):
            said.append(dokku(*words, input=f"{secret}\n", env={"DOKKU_TRACE": "1"}))
        assert said[1].code == 0, said[1]
        assert server.logins
        assert dokku("git:auth", server.host, "ann", input=f"{secret}x\n").code == 0
        said.append(dokku("--trace", "git:sync", APP, server.url(), "main"))
        assert said[-1].code == 1
    assert len(sampler.seen) > 4
    assert sampler.found == set()
    assert not [result for result in said if secret in result.out + result.err]
    netrc = dokku.root / ".netrc"
    assert netrc.stat().st_mode & 0o777 == 0o600
    places = [path for top in (dokku.root, dokku.lib, dokku.log, dokku.bin) for path in top.rglob("*")]
    holding = [path for path in places if path.is_file() and secret.encode() in path.read_bytes()]
    assert holding == [netrc]


def test_credentials_in_an_address_are_in_no_word_of_another_program(
    dokku: Dokku, upstream: Upstream
) -> None:
    """SEC-4: Who types the address shows it to everybody; from there on it goes no further."""
    secret = os.urandom(16).hex()
    with serving(upstream.path.parent, {"ann": secret}) as server, Sampler(secret) as sampler:
        server.delay = 0.1
        synced = dokku("--trace", "git:sync", "--build", APP, server.url(login=f"ann:{secret}"), "main")
    assert synced.code == 0, synced
    assert secret not in synced.out + synced.err
    assert not [text for text in sampler.found if "git:sync" not in text]


def test_the_lock_is_on_a_file_that_stays(dokku: Dokku, upstream: Upstream, server: HttpServer) -> None:
    """LCK-1: whoever holds the file open sees the next holder."""
    assert dokku("git:sync", APP, server.url(), "v1").code == 0
    with (dokku.root / APP / ".deploy.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert dokku("git:sync", APP, server.url(), "main").code == 1
    assert dokku("git:sync", APP, server.url(), "main").code == 0

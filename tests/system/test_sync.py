"""git:sync with everything behind it: real docker, nginx and sshd, and servers that ask who is there."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.git_servers import HttpServer, SshServer, Upstream, answering, serving, serving_ssh
from tests.system.conftest import Instance

ADVICE = " !     There is no deploy key associated with the dokku user.\n"


@pytest.fixture
def app(instance: Instance, request: pytest.FixtureRequest) -> Iterator[str]:
    name = instance.name(f"sync-{abs(hash(request.node.name)) % 10**8}")
    assert instance.dokku("apps:create", name).code == 0
    yield name
    instance.dokku("--force", "apps:destroy", name)


@pytest.fixture
def upstream(instance: Instance, app: str) -> Upstream:
    """An app of one page on main, in a place of this test's own."""
    upstream = Upstream(instance.place / f"upstream-{app}" / "served")
    upstream.commit_files(instance.sample("one"))
    return upstream


@pytest.fixture
def server(upstream: Upstream) -> Iterator[HttpServer]:
    with serving(upstream.path.parent) as server:
        yield server


def tip(instance: Instance, app: str) -> str:
    return instance.git(instance.root / app, "rev-parse", "--verify", "HEAD", check=False).out.strip()


def test_a_sync_deploys_and_the_next_one_deploys_what_is_new(
    instance: Instance, app: str, upstream: Upstream, server: HttpServer
) -> None:
    words = ("git:sync", "--build-if-changes", app, server.url(), "main")

    first = instance.dokku(*words)
    assert first.code == 0, first
    assert first.out.count("Application deployed:") == 1
    assert instance.get(app) == (200, "one")

    before = instance.containers(app)
    again = instance.dokku(*words)
    assert again.code == 0
    assert "Skipping build as no changes were detected" in again.out
    assert instance.containers(app) == before

    commit = upstream.commit_files(instance.sample("two"))
    later = instance.ssh(*words)
    assert later.code == 0, later
    assert instance.get(app) == (200, "two")
    assert instance.dokku("config:get", app, "GIT_REV").out.strip() == commit


def test_without_a_build_the_old_version_serves_until_somebody_rebuilds(
    instance: Instance, app: str, upstream: Upstream, server: HttpServer
) -> None:
    assert instance.dokku("git:sync", "--build", app, server.url(), "main").code == 0
    commit = upstream.commit_files(instance.sample("two"))
    assert instance.dokku("git:sync", app, server.url(), "main").code == 0
    assert tip(instance, app) == commit
    assert instance.get(app) == (200, "one")
    assert instance.dokku("ps:rebuild", app).code == 0
    assert instance.get(app) == (200, "two")


def test_a_bad_version_fails_with_its_reason_and_the_old_one_serves(
    instance: Instance, app: str, upstream: Upstream, server: HttpServer
) -> None:
    """CRS-8"""
    assert instance.dokku("git:sync", "--build", app, server.url(), "main").code == 0
    before = instance.containers(app)
    commit = upstream.commit_files({"serve": "#!/bin/sh\necho cannot find the database\nexit 3\n"})

    synced = instance.dokku("git:sync", "--build", app, server.url(), "main")

    assert synced.code != 0
    assert "cannot find the database" in synced.out + synced.err
    assert instance.get(app) == (200, "one")
    assert instance.containers(app) == before
    assert tip(instance, app) == commit

    upstream.commit_files(instance.sample("mended"))
    assert instance.dokku("git:sync", "--build-if-changes", app, server.url(), "main").code == 0
    assert instance.get(app) == (200, "mended")


def test_a_server_that_has_gone_leaves_the_app_as_it_is(
    instance: Instance, app: str, upstream: Upstream, server: HttpServer
) -> None:
    assert instance.dokku("git:sync", "--build", app, server.url(), "main").code == 0
    before = tip(instance, app), instance.containers(app)
    server.fail(answering(404), times=9)
    assert instance.dokku("git:sync", "--build", app, server.url(), "main").code == 1
    assert (tip(instance, app), instance.containers(app)) == before
    assert instance.get(app) == (200, "one")


def test_a_private_repository_over_http_wants_git_auth(
    instance: Instance, app: str, upstream: Upstream
) -> None:
    with serving(upstream.path.parent, {"ann": "let me in"}) as private:
        words = ("git:sync", "--build", app, private.url(), "main")
        refused = instance.ssh(*words)
        assert refused.code == 1
        assert refused.err.count("fatal: could not read Username for") == 1
        assert refused.err.count(ADVICE) == 1
        try:
            assert instance.ssh("git:auth", private.host, "ann", input="let me in\n").code == 0
            synced = instance.ssh(*words)
        finally:
            instance.dokku("git:auth", private.host)
        assert synced.code == 0, synced
        assert instance.get(app) == (200, "one")
        assert set(private.logins) == {"ann:let me in"}


@pytest.fixture
def ssh(instance: Instance, app: str) -> Iterator[SshServer]:
    with serving_ssh(instance.place / f"sshd-{app}") as server:
        yield server
    for name in ("id_ed25519", "id_ed25519.pub", "known_hosts"):
        (instance.root / ".ssh" / name).unlink(missing_ok=True)


def test_a_private_repository_over_ssh_wants_a_deploy_key(
    instance: Instance, app: str, upstream: Upstream, ssh: SshServer
) -> None:
    words = ("git:sync", "--build", app, ssh.url(upstream.path), "main")
    assert instance.dokku("git:allow-host", ssh.host).code == 0
    refused = instance.dokku(*words)
    assert refused.code == 1
    assert refused.err.count("Permission denied (publickey") == 1
    assert refused.err.count(ADVICE) == 1
    assert instance.dokku("git:generate-deploy-key").code == 0
    ssh.allow(instance.dokku("git:public-key").out)
    synced = instance.dokku(*words)
    assert synced.code == 0, synced
    assert instance.get(app) == (200, "one")


@pytest.mark.parametrize("stage", ["fetched", "checked-out", "built", "checked", "switched"])
def test_a_killed_sync_is_built_by_the_next_one(
    instance: Instance, app: str, upstream: Upstream, server: HttpServer, stage: str
) -> None:
    """CRS-2"""
    words = ("git:sync", "--build-if-changes", app, server.url(), "main")
    assert instance.dokku(*words).code == 0
    before = tip(instance, app)
    commit = upstream.commit_files(instance.sample("two"))

    killed = instance.dokku(*words, env={"DOKKU_TEST_FAILPOINT": f"{stage}:kill9"})

    assert killed.code == -9
    assert tip(instance, app) == before
    assert instance.get(app).body == ("two" if stage == "switched" else "one")

    synced = instance.dokku(*words)
    assert synced.code == 0, synced
    assert "Application deployed:" in synced.out
    assert instance.get(app) == (200, "two")
    assert tip(instance, app) == commit
    subprocess.run(["git", f"--git-dir={instance.root / app}", "fsck", "--full"], check=True)
    assert not [path for path in (instance.lib / "tmp").iterdir() if path.name != "locks"]

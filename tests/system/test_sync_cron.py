"""git:sync from a real cron daemon, once a minute: new commits are deployed, and else nobody hears of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.git_servers import Upstream, serving
from tests.system import crons
from tests.system.conftest import Instance, wait_for


@pytest.fixture
def cron(instance: Instance) -> Iterator[Path]:
    """A cron of our own. Its directory: crontabs go to spool/crontabs, what it mails comes to `mail`."""
    with crons.running(instance.place / "cron") as found:
        yield found.place


@pytest.mark.slow
def test_cron_deploys_each_new_commit_and_is_silent_without_one(instance: Instance, cron: Path) -> None:
    app = instance.name("cron")
    assert instance.dokku("apps:create", app).code == 0
    upstream = Upstream(cron / "served")
    upstream.commit_files(instance.sample("one"))
    with serving(upstream.path.parent) as server:
        assert instance.dokku("git:sync", "--build", app, server.url(), "main").code == 0
        containers = instance.containers(app)
        server.recover()
        program = instance.place / "bin/dokku"
        sync = f"{program} git:sync --build-if-changes {app} {server.url()} main"
        line = f"* * * * * {sync}; echo >>{cron}/ended\n"
        table = cron / "spool/crontabs/root"
        table.write_text(line)
        table.chmod(0o600)
        os.utime(table.parent)

        wait_for(lambda: (cron / "ended").exists(), 150)

        assert server.count(asked="ls-refs") >= 1
        assert server.count(asked="fetch") == 0
        assert not (cron / "mail").exists(), (cron / "mail").read_text()
        assert instance.containers(app) == containers

        commit = upstream.commit_files(instance.sample("two"))

        wait_for(lambda: (cron / "mail").exists() and "END\n" in (cron / "mail").read_text(), 150)
        mail = (cron / "mail").read_text()
        assert instance.get(app) == (200, "two"), mail
        assert mail.count("END\n") == 1
        assert mail.count("Application deployed:") == 1
        assert f"Fetching remote code for {app} from {server.url()}#main" in mail
        assert instance.dokku("config:get", app, "GIT_REV").out.strip() == commit
        table.unlink()
    instance.dokku("--force", "apps:destroy", app)

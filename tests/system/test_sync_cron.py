"""git:sync from a real cron daemon, once a minute: new commits are deployed, and else nobody hears of it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.git_servers import Upstream, serving
from tests.system.conftest import Instance, wait_for

# In a mount namespace of its own the daemon has its own tables, pid file and sendmail.
_START = """
set -e
place=$1
mount --make-rprivate /
mkdir -p "$place/run" "$place/sbin" "$place/real"
mount --bind /usr/sbin "$place/real"
for program in "$place"/real/*; do ln -s "$program" "$place/sbin/"; done
rm -f "$place/sbin/sendmail"
printf '#!/bin/sh\\ncat >>%s/mail; echo END >>%s/mail\\n' "$place" "$place" >"$place/sbin/sendmail"
chmod 755 "$place/sbin/sendmail"
mount --bind "$place/sbin" /usr/sbin
touch "$place/run/docker.sock"
[ ! -S /run/docker.sock ] || mount --bind /run/docker.sock "$place/run/docker.sock"
mount --bind "$place/spool" /var/spool/cron
mount --bind "$place/nothing" /etc/cron.d
mount --bind /dev/null /etc/crontab
mount --rbind "$place/run" /run
exec "$place/real/cron" -f
"""


@pytest.fixture
def cron(instance: Instance, tmp_path: Path) -> Iterator[Path]:
    """A cron of our own. Its directory: crontabs go to spool/crontabs, what it mails comes to `mail`."""
    place = instance.place / "cron"
    if not shutil.which("cron", path="/usr/sbin"):
        pytest.skip("there is no cron")
    for name in ("spool/crontabs", "nothing"):
        (place / name).mkdir(parents=True)
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("there are no mount namespaces here")
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", _START, "sh", str(place)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    yield place
    assert process.poll() is None, (place / "log").read_text()
    process.terminate()
    process.wait(timeout=10)


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

"""A cron daemon of a test's own: in its mount namespace it has its own tables, pid file and sendmail."""

import contextlib
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

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
touch "$place/ready"
exec "$place/real/cron" -f
"""


class Cron(NamedTuple):
    """place: its directory; tables are in spool/crontabs, what it mails comes to mail. pid: the daemon's."""

    place: Path
    pid: int

    @property
    def table(self) -> str:
        """What `crontab -l` says: the file without the heading that Debian's crontab gives it."""
        done = subprocess.run([*self.argv(), "-l"], check=False, capture_output=True, text=True)
        return done.stdout

    def argv(self) -> list[str]:
        """crontab, as the daemon sees it."""
        real = shutil.which("crontab", path="/usr/bin:/bin")
        assert real is not None
        return ["nsenter", f"--mount=/proc/{self.pid}/ns/mnt", real]

    @property
    def mail(self) -> str:
        """Every mail so far, each followed by a line END."""
        path = self.place / "mail"
        return path.read_text(errors="replace") if path.exists() else ""


@contextlib.contextmanager
def running(place: Path) -> Iterator[Cron]:
    """A daemon that works in a directory of its own; skips the test where there can be none."""
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
    try:
        yield Cron(place, process.pid)
        assert process.poll() is None, (place / "log").read_text()
    finally:
        process.terminate()
        process.wait(timeout=10)


def write_crontab(cron: Cron, program: Path) -> None:
    """Make a program that is `crontab` as the daemon sees it."""
    program.write_text(f'#!/bin/sh\nexec {shlex.join(cron.argv())} "$@"\n')
    program.chmod(0o755)

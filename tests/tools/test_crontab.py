"""crontab, the real one, with a spool of the test's own."""

import itertools
import os
import shlex
import shutil
import subprocess

import pytest

from lib.base.errors import ToolFailed
from lib.runtime import cron_jobs, cron_table
from lib.tools import crontab

_IN_A_SPOOL = """#!/bin/sh
script='mount --make-rprivate / && mount --bind "$0" /var/spool/cron && exec "$@"'
exec unshare --mount sh -c "$script" SPOOL CRONTAB "$@"
"""
MINE = "# mine\nMAILTO=me@x\n\n@daily  true \xe9 100\\%\n"
FIELDS = (
    ("0", "*/15", "10-20/3", "5/20", "*/59", "1,2,59", "*/60"),
    ("*", "8-18/2", "22/1"),
    ("?", "1-7", "*/10", "15/5"),
    ("*", "jan", "FEB-dec/2"),
    ("*", "7", "mon-FRI", "sat,sun", "1/2"),
)


@pytest.fixture(autouse=True)
def spool(tmp_path, monkeypatch):
    program = shutil.which("crontab")
    if program is None or os.geteuid() != 0:
        pytest.skip("needs crontab, and root")
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("there are no mount namespaces here")
    (tmp_path / "spool/crontabs").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    script = _IN_A_SPOOL.replace("SPOOL", shlex.quote(f"{tmp_path}/spool")).replace("CRONTAB", program)
    (tmp_path / "bin/crontab").write_text(script)
    (tmp_path / "bin/crontab").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return tmp_path / "spool/crontabs"


@pytest.mark.parametrize("user", ["", "root"])
def test_what_is_written_is_read_byte_for_byte(spool, user):
    assert crontab.read(user) == ""
    crontab.replace(MINE, user)
    assert crontab.read(user) == MINE
    assert (spool / "root").exists()
    crontab.remove(user)
    assert crontab.read(user) == ""
    assert list(spool.iterdir()) == []


def test_a_bad_table_is_refused_in_crons_words_and_the_old_one_stays(spool):
    crontab.replace(MINE)
    with pytest.raises(ToolFailed, match=r"crontab - failed: .*bad minute"):
        crontab.replace("61 * * * * true\n")
    assert crontab.read() == MINE


def test_a_table_of_nobody_we_know_cannot_be_read(spool):
    with pytest.raises(ToolFailed, match="crontab -l failed: "):
        crontab.read("no-such-user")


def test_cron_takes_every_schedule_that_we_take(spool):
    schedules = [" ".join(fields) for fields in itertools.product(*FIELDS)]
    schedules += ["@daily", "@midnight", "@annually", "@yearly", "@every 5m", "@every 12h", "@every 24h"]
    ours = [f"{cron_jobs.line(schedule)} /usr/bin/dokku --quiet cron:run blog x" for schedule in schedules]
    table = cron_table.placed(MINE, ours, "/home/dokku", "root")
    crontab.replace(table)
    assert crontab.read() == table

"""Our block of the crontab: nobody else's line is lost, and nothing is written that changes nothing."""

import base64
import json
import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.app import app_json, config
from lib.base import files, log, properties
from lib.base import settings as host
from lib.base.errors import DokkuError, ToolFailed
from lib.runtime import cron_jobs, cron_table

ROOT, USER = "/home/dokku", "dokku"
BEGIN, END = f"# BEGIN dokku {ROOT}", f"# END dokku {ROOT}"
FOREIGN = "# mine\nMAILTO=me@x\n\n5 4 * * *  dokku letsencrypt:auto-renew \xff\n"
LINES = st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20))
JOBS = st.lists(
    st.sampled_from(["* * * * * a", "MAILTO=x", "MAILTO=*", "SHELL=/bin/bash", "@daily b"]), max_size=5
)


class Cron:
    """A crontab with a table. installed: every table it was given, None for its removal."""

    def __init__(self, shell, monkeypatch):
        self.table, self.installed = "", []
        self._shell = shell
        monkeypatch.setenv("DOKKU_PROGRAM", "/usr/bin/dokku")
        shell.answers("crontab -", does=lambda _: self._take(shell.calls[-1].stdin))
        shell.answers("crontab -r", does=lambda _: self._take(None))
        self.has("")

    def has(self, table):
        self.table = table
        if table:
            self.says("-l", table)
        else:
            self.says("-l", err="no crontab for root\n", status=1)

    def says(self, flag, out="", err="", status=0):
        """From now on, and not after what was to be said before."""
        self._shell._answers.pop(f"crontab {flag}", None)
        self._shell.answers(f"crontab {flag}", out, err, status)

    def _take(self, stdin):
        self.installed.append(None if stdin is None else stdin.decode("utf-8", "surrogateescape"))
        self.has(self.installed[-1] or "")


@pytest.fixture
def cron(fs, shell, monkeypatch):
    return Cron(shell, monkeypatch)


@pytest.fixture(autouse=True)
def said():
    with log.collected() as lines:
        yield lines


def text_of(said):
    return b"".join(data for _, data in said).decode()


def deploy(app, *tasks):
    os.makedirs(host.app_dir(app), exist_ok=True)
    properties.write("common", app, "deployed", "true")
    found = [{"schedule": schedule, "command": command} for schedule, command in tasks]
    files.replace(app_json.file_path(app), json.dumps({"cron": found}))


def jobs_of(table):
    return [line for line in table.splitlines() if "cron:run" in line]


def foreign_of(table, root=ROOT):
    inside = re.escape(f"# BEGIN dokku {root}") + r"\n.*?" + re.escape(f"# END dokku {root}") + r"\n"
    return re.sub(rf"^{inside}", "", table, flags=re.DOTALL | re.MULTILINE)


def test_a_table_without_jobs_and_without_a_block_is_not_looked_at(cron, shell):
    os.makedirs(host.app_dir("blog"))
    assert cron_table.write() == []
    assert shell.ran == []


def test_the_jobs_of_all_apps_stand_below_what_others_wrote(cron, said):
    cron.has(FOREIGN)
    deploy("blog", ("0 3 * * *", "task $(id)\nx"), ("@daily", "more"))
    deploy("shop", ("5/20 * * * mon", "sell"))
    cron_table.write()
    ids = [job.id for job in cron_jobs.of_all()]
    assert cron.table.startswith(FOREIGN)
    assert jobs_of(cron.table) == [
        f"0 3 * * * /usr/bin/dokku --quiet cron:run blog {ids[0]}",
        f"@daily /usr/bin/dokku --quiet cron:run blog {ids[1]}",
        f"5-59/20 * * * 1 /usr/bin/dokku --quiet cron:run shop {ids[2]}",
    ]
    assert text_of(said) == "-----> Updated schedule file\n"


def test_a_table_that_is_right_is_not_written_again(cron, said):
    deploy("blog", ("@daily", "a"))
    cron_table.write()
    cron_table.write(always=True)
    assert len(cron.installed) == 1


def test_a_block_that_somebody_removed_is_back_with_the_next_deploy(cron):
    deploy("blog", ("@daily", "a"))
    cron_table.write()
    cron.has(FOREIGN)
    cron_table.write()
    assert len(jobs_of(cron.table)) == 1
    assert foreign_of(cron.table, host.root()) == FOREIGN


def test_the_last_job_takes_the_block_along_and_an_empty_table_goes(cron, said):
    deploy("blog", ("@daily", "a"))
    cron_table.write()
    cron_table.write(without="blog")
    assert cron.installed[-1] is None
    assert text_of(said).endswith("-----> Removed\n")
    ran = len(cron._shell.ran)
    cron_table.write(without="blog")
    assert len(cron._shell.ran) == ran


def test_jobs_of_apps_that_are_not_deployed_suspended_or_elsewhere_are_not_there(cron):
    for app in ("new", "quiet", "away", "blog"):
        deploy(app, ("@daily", "a"))
    properties.delete("common", "new", "deployed")
    properties.write("cron", "quiet", "maintenance", "true")
    config.set_values("away", {"DOKKU_SCHEDULER": "kubernetes"})
    cron_table.write()
    assert [line.split()[-2] for line in jobs_of(cron.table)] == ["blog"]


@pytest.mark.parametrize("text", ["{", '{"cron": [{"schedule": "61 * * * *", "command": "a"}]}'])
def test_the_broken_file_of_one_app_leaves_the_jobs_of_others(cron, said, text):
    deploy("blog", ("@daily", "a"))
    deploy("bad")
    files.replace(app_json.file_path("bad"), text)
    cron_table.write()
    assert [line.split()[-2] for line in jobs_of(cron.table)] == ["blog"]
    assert " !     Skipping the cron tasks of bad: " in text_of(said)


def test_a_table_that_cannot_be_read_is_not_taken_for_an_empty_one(cron):
    deploy("blog", ("@daily", "a"))
    cron.says("-l", err="You (root) are not allowed to use this program (crontab)\n", status=1)
    with pytest.raises(ToolFailed, match=r"crontab -l failed: You .root. are not allowed"):
        cron_table.write()
    assert cron.installed == []


def test_a_refused_table_is_an_error_and_is_tried_again(cron):
    deploy("blog", ("@daily", "a"))
    cron.says("-", err="bad minute\nerrors in crontab file, can't install.\n", status=1)
    for _ in range(2):
        with pytest.raises(DokkuError, match="crontab - failed: bad minute errors in crontab file"):
            cron_table.write()


def test_mail_goes_where_an_app_or_all_want_it(cron):
    cron.has("MAILTO = me@x\n")
    for app in ("a", "b", "c"):
        deploy(app, ("@daily", app))
    properties.write("cron", "b", "mailto", "b@x")
    properties.write("cron", properties.GLOBAL, "mailfrom", "host@x")
    cron_table.write()
    table = [line for line in cron.table.splitlines() if line[:3] not in ("# a", "# b", "# c")]
    lines = [line.split()[-2] if "cron:run" in line else line for line in table]
    assert lines[3:-1] == ["MAILFROM=host@x", "a", "MAILTO=b@x", "b", "MAILTO = me@x", "c", "MAILFROM=root"]


def test_what_plugins_want_to_be_run_is_there_with_the_shell_they_expect(cron, monkeypatch):
    entries = [("@daily", "/bin/true", ""), ("0 1 * * *", "dokku letsencrypt:auto-renew", "/var/log/x.log")]
    monkeypatch.setattr(cron_table, "injected", lambda: (entries, []))
    cron_table.write()
    assert cron.table.splitlines()[2:-1] == [
        "PATH=/usr/local/bin:/usr/bin:/bin",
        "SHELL=/bin/bash",
        "@daily /bin/true",
        "0 1 * * * dokku letsencrypt:auto-renew &>> /var/log/x.log",
        "SHELL=/bin/sh",
        "PATH=/usr/bin:/bin",
    ]


def test_the_lines_of_024_give_way_and_their_likes_stay(cron):
    said = base64.b64encode(b"blog===task a b===@daily").decode()
    old = f"@daily dokku --rm run --cron-id {said} blog task a b\n"
    others = (
        f"@hourly dokku --rm run --cron-id {said} blog task a b\n@daily dokku --rm run --cron-id x blog y\n"
    )
    cron.has(f"SHELL=/bin/bash\n{old}{others}")
    deploy("blog", ("@daily", "task a b"))
    cron_table.write()
    assert foreign_of(cron.table, host.root()) == f"SHELL=/bin/bash\n{others}"


def test_a_program_with_a_strange_path_is_quoted_for_shell_and_cron(monkeypatch):
    monkeypatch.setenv("DOKKU_PROGRAM", "/opt/100% mine/dokku")
    assert cron_table.program() == "'/opt/100\\% mine/dokku'"


@settings(max_examples=150)
@given(LINES, JOBS, JOBS, LINES)
def test_no_line_of_others_is_lost_whatever_they_are(above, first, second, below):
    foreign_above, foreign_below = ("".join(f"{line}\n" for line in lines) for lines in (above, below))
    once = cron_table.placed(foreign_above, first, ROOT, USER) + foreign_below
    twice = cron_table.placed(once, second, ROOT, USER)
    assert foreign_of(twice) == foreign_above + foreign_below
    assert cron_table.placed(twice, second, ROOT, USER) == twice
    assert (BEGIN in twice.split("\n")) == bool(second)


@settings(max_examples=100)
@given(st.lists(st.sampled_from([BEGIN, END, "a", "* * * * * a", "x"]), max_size=12), JOBS)
def test_a_block_that_lost_a_mark_costs_no_line_outside_blocks(lines, ours):
    table = "".join(f"{line}\n" for line in lines)
    found = cron_table.placed(table, ours, ROOT, USER)
    whole = re.sub(rf"{BEGIN}\n(?:(?!{BEGIN}|{END}).*\n)*{END}\n", "", table)
    kept = [line for line in whole.splitlines() if line not in (BEGIN, END)]
    assert foreign_of(found).splitlines() == kept


def test_two_installations_of_one_user_leave_each_other_alone():
    both = cron_table.placed(cron_table.placed("", ["@daily a"], "/one", USER), ["@daily b"], "/two", USER)
    assert foreign_of(cron_table.placed(both, [], "/one", USER), "/two") == ""
    assert "@daily b\n" in cron_table.placed(both, [], "/one", USER)


def test_a_last_line_without_its_end_gets_one():
    assert cron_table.placed("@daily x", ["@daily a"], ROOT, USER).startswith(f"@daily x\n{BEGIN}\n")
    assert cron_table.placed("@daily x", [], ROOT, USER) == "@daily x"

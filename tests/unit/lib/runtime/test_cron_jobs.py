"""Jobs by the clock: what a schedule and a command may be, and how a job is found and run."""

import datetime
import json
import os
import re

import cronsim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.app import app_json
from lib.base import files, log, properties
from lib.base import settings as host
from lib.base.errors import AppNotFound, DokkuError
from lib.runtime import cron_jobs

APP = "blog"
ID = "a" * 64
START = datetime.datetime(2024, 2, 27, 22, 58)
FIELDS = (
    ("0", "5", "*/15", "10-20", "1,2,30-35", "5/20", "59", "*/1"),
    ("*", "3", "8-18/2", "0", "22/1", "*/23"),
    ("*", "1", "31", "1-7", "*/10", "?", "15/5"),
    ("*", "1", "jan", "JAN-mar", "Dec", "2,jul", "*/3"),
    ("*", "0", "7", "mon", "MON-fri", "sat,sun", "1/2", "?"),
)


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(host.app_dir(APP))
    with log.collected() as lines:
        yield lines


def deploy(*tasks, app=APP):
    """Let an app have cron entries: pairs of a schedule and a command, or whole objects."""
    os.makedirs(host.app_dir(app), exist_ok=True)
    found = [task if isinstance(task, dict) else {"schedule": task[0], "command": task[1]} for task in tasks]
    files.replace(app_json.file_path(app), json.dumps({"cron": found}))


def image(shell):
    shell.answers(
        "docker image inspect …", json.dumps({"Id": "sha256:1", "Config": {"Labels": {}, "Env": []}})
    )
    shell.answers("docker container create …", ID + "\n")


@settings(max_examples=60)
@given(st.tuples(*(st.sampled_from(choices) for choices in FIELDS)))
def test_a_schedule_as_cron_has_it_means_the_same(fields):
    text = "  ".join(fields)
    found = cron_jobs.line(text)
    assert re.fullmatch(r"[0-9*,/-]+( [0-9*,/-]+){4}", found)
    before, after = (cronsim.CronSim(one.replace("?", "*"), START) for one in (text, found))
    assert [next(before) for _ in range(5)] == [next(after) for _ in range(5)]


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=30), st.lists(st.text("0159*/-,?LW#@ajnsu", max_size=4)).map(" ".join)))
def test_whatever_a_schedule_holds_a_line_is_harmless(text):
    """RUN-10"""
    try:
        found = cron_jobs.line(text)
    except DokkuError as error:
        found = str(error)
    assert re.fullmatch(r"@[a-z]+|[0-9*,/-]+( [0-9*,/-]+){4}|invalid schedule [^\x00-\x1f\x7f]*", found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@daily", "@daily"),
        (" @midnight ", "@midnight"),
        ("0 3 * * *\n", "0 3 * * *"),
        ("05 03 * JAN Mon-Fri", "5 3 * 1 1-5"),
        ("5/15 * * * *", "5-59/15 * * * *"),
        ("*/60 * * * *", "0 * * * *"),
        ("0 0 ? * 7", "0 0 * * 7"),
        ("@every 15m", "*/15 * * * *"),
        ("@every 1m0s", "*/1 * * * *"),
        ("@every 60m", "0 * * * *"),
        ("@every 6h", "0 */6 * * *"),
        ("@every 24h", "0 0 * * *"),
    ],
)
def test_schedules_of_dokku_are_said_in_crons_words(text, found):
    assert cron_jobs.line(text) == found


@pytest.mark.parametrize(
    "text",
    [
        *("", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8"),
        *(
            "*/0 * * * *",
            "20-10 * * * *",
            "* * L * *",
            "* * * * 1#2",
            "a * * * *",
            "* * jan * *",
            "1,, * * * *",
        ),
        *("@reboot", "@nonsense", "@every", "@every 7m", "@every 90s", "@every 0m", "@every 5h", "@DAILY"),
        *("* * * * *;id", "TZ=UTC * * * * *", "* * * * ٣", "-1 * * * *", "0 0 32 2 *"),
    ],
)
def test_other_schedules_are_refused(text):
    with pytest.raises(DokkuError, match=r"invalid schedule"):
        cron_jobs.line(text)


@pytest.mark.parametrize("text", ["0 0 31 2 *", "0 0 30 feb *", "0 0 31 4,6 *"])
def test_a_day_that_never_comes_is_taken_as_cron_takes_it(text):
    assert cron_jobs.line(text).startswith("0 0 3")


@pytest.mark.parametrize(
    ("command", "mark"),
    [("task >> log", ">>"), ("a | b", "|"), ("a && b", "&&"), ("a; b", ";"), ("task 2>log", ">")],
)
def test_a_command_for_a_shell_is_told_once_that_none_reads_it(command, mark, said):
    for _ in range(2):
        cron_jobs.verify([app_json.CronTask(command, "@daily", "allow", False)])
    text = f" !     app.json: cron[0]: no shell reads the command, {mark} is an argument: use sh -c '...'\n"
    assert said == [(2, text.encode())]


@pytest.mark.parametrize(
    "command", ["sh -c 'a && b >> c'", "get http://x/?a=b&c=d", r"say \&\& x", 'a "| b"']
)
def test_quoted_marks_are_no_cause_for_a_warning(command, said):
    cron_jobs.verify([app_json.CronTask(command, "@daily", "allow", False)])
    assert said == []


def test_a_command_is_words_and_nothing_is_expanded():
    """RUN-10"""
    assert cron_jobs.words("""task "$(id)" '`id`' $HOME a\\ b *""") == [
        "task",
        "$(id)",
        "`id`",
        "$HOME",
        "a b",
        "*",
    ]


@pytest.mark.parametrize("command", ["", "  ", "say 'x", "a\0b"])
def test_a_command_that_is_none_is_refused(command):
    with pytest.raises(DokkuError, match="command"):
        cron_jobs.words(command)


def test_the_first_bad_entry_is_named():
    tasks = [
        app_json.CronTask("a", "@daily", "allow", False),
        app_json.CronTask("b", "61 * * * *", "allow", False),
    ]
    with pytest.raises(DokkuError) as caught:
        cron_jobs.verify(tasks)
    assert caught.value.text == "Cannot parse app.json: cron[1]: invalid schedule 61 * * * *: bad minute"


def test_one_app_cannot_fill_the_table_of_all():
    task = app_json.CronTask("a", "@daily", "allow", False)
    cron_jobs.verify([task] * 100)
    with pytest.raises(DokkuError, match="cron has 101 entries, at most 100 are taken"):
        cron_jobs.verify([task] * 101)
    with pytest.raises(
        DokkuError, match=r"invalid schedule 1,1,1,1,1,1,1,1,1,1,\.\.\.: more than 200 characters"
    ):
        cron_jobs.line(f"{'1,' * 100}1 * * * *")


def test_an_id_is_the_same_for_every_app_and_another_for_another_job():
    """NAME-15"""
    deploy(("@daily", "a"), ("@hourly", "a"), ("@daily", "b"), ("@daily", "a"))
    deploy(("@daily", "a"), app="shop")
    ids = [job.id for job in cron_jobs.jobs(APP)]
    assert len(set(ids)) == len(ids) == 3
    assert ids[0] == cron_jobs.jobs("shop")[0].id
    assert all(re.fullmatch("[0-9a-z]{25}", id_) for id_ in ids)


def test_a_job_is_suspended_by_itself_by_its_app_by_all_or_by_app_json():
    deploy(("@daily", "a"), {"schedule": "@daily", "command": "b", "maintenance": True})
    first, second = cron_jobs.jobs(APP)
    assert (first.is_suspended, second.is_suspended) == (False, True)
    properties.write("cron", APP, f"maintenance.{first.id}", "true")
    properties.write("cron", APP, f"maintenance.{second.id}", "false")
    assert [job.is_suspended for job in cron_jobs.jobs(APP)] == [True, False]
    properties.write("cron", properties.GLOBAL, "maintenance", "true")
    assert [job.is_suspended for job in cron_jobs.jobs(APP)] == [True, True]


def test_a_broken_file_is_told_and_the_others_are_listed(said):
    deploy(("@daily", "a"))
    os.makedirs(host.app_dir("shop"))
    files.replace(app_json.file_path("shop"), "{")
    assert [job.app for job in cron_jobs.of_all()] == [APP]
    assert b"Skipping the cron tasks of shop: Cannot parse app.json" in said[0][1]


def test_a_job_runs_as_words_with_its_id_as_label(shell):
    deploy(("@daily", "task '$(id)' `x`"))
    image(shell)
    (job,) = cron_jobs.jobs(APP)
    cron_jobs.run(APP, job.id)
    made = next(call.argv for call in shell.calls if call.argv[1:3] == ["container", "create"])
    assert made[-4:] == ["dokku/blog:latest", "task", "$(id)", "`x`"]
    assert f"--label=com.dokku.cron-id={job.id}" in made
    assert "--tty" not in made


def test_the_status_of_a_job_is_its_programs(shell):
    deploy(("@daily", "task"))
    image(shell)
    shell.answers("docker container start …", status=3)
    with pytest.raises(DokkuError) as caught:
        cron_jobs.run(APP, cron_jobs.jobs(APP)[0].id)
    assert (caught.value.exit_code, caught.value.text) == (3, "")


def test_a_job_that_must_not_run_twice_is_refused_while_it_runs(shell):
    deploy({"schedule": "@daily", "command": "a", "concurrency_policy": "forbid"})
    image(shell)
    (job,) = cron_jobs.jobs(APP)
    shell.answers("docker container ls …", "f" * 64 + "\n")
    shell.answers("docker container ls …", "")
    with pytest.raises(DokkuError, match="is running, and its concurrency policy is forbid"):
        cron_jobs.run(APP, job.id)
    assert shell.ran == [
        "docker container ls --quiet --no-trunc --filter=label=com.dokku.app-name=blog "
        f"--filter=label=com.dokku.cron-id={job.id} '--filter=name=^/blog\\.run\\.'"
    ]
    cron_jobs.run(APP, job.id)
    assert "docker container create" in " ".join(shell.ran)


def test_cron_mails_nothing_of_a_job_that_still_runs(shell, said, monkeypatch):
    monkeypatch.setattr("lib.base.log.is_mail", lambda: True)
    deploy({"schedule": "@daily", "command": "a", "concurrency_policy": "forbid"})
    shell.answers("docker container ls …", "f" * 64 + "\n")
    cron_jobs.run(APP, cron_jobs.jobs(APP)[0].id)
    assert (said, len(shell.ran)) == ([], 1)


def test_a_job_that_replaces_itself_stops_the_one_that_runs(shell):
    deploy({"schedule": "@daily", "command": "a", "concurrency_policy": "replace"})
    image(shell)
    shell.answers("docker container ls …", "f" * 64 + "\n")
    cron_jobs.run(APP, cron_jobs.jobs(APP)[0].id)
    assert next(line for line in shell.ran if "stop" in line).endswith("f" * 64)
    assert "docker container create" in " ".join(shell.ran)


def test_a_job_without_a_policy_asks_nobody(shell):
    deploy(("@daily", "a"))
    image(shell)
    cron_jobs.run(APP, cron_jobs.jobs(APP)[0].id)
    assert not [line for line in shell.ran if "container ls" in line]


@pytest.mark.parametrize(
    ("app", "id_", "text"),
    [
        (APP, "", "Please specify a Cron ID from the output of 'dokku cron:list blog'"),
        (
            APP,
            "x",
            "No matching Cron ID found. Please specify a Cron ID from the output of 'dokku cron:list blog'",
        ),
        ("shop", "x", "App shop does not exist"),
    ],
)
def test_a_job_that_is_none_is_refused(app, id_, text):
    """NAME-15"""
    deploy(("@daily", "a"))
    with pytest.raises(DokkuError) as caught:
        cron_jobs.find(app, id_)
    assert caught.value.text == text
    assert isinstance(caught.value, AppNotFound) == (app != APP)


def test_nothing_is_kept_of_an_app_that_goes():
    files.make_directory(host.data("cron", APP))
    cron_jobs.forget(APP)
    assert not os.path.exists(host.data("cron", APP))

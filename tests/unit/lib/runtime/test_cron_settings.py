"""cron:list, cron:report and cron:set: what is shown and what is taken."""

import json
import os

import pytest

from lib.app import app_json
from lib.base import files, log, properties, settings
from lib.base.errors import DokkuError
from lib.runtime import cron_jobs, cron_settings

APP = "blog"


@pytest.fixture(autouse=True)
def said(fs, shell):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    tasks = [{"schedule": "0 3 * * *", "command": "a b\nc"}, {"schedule": "@daily", "command": "b"}]
    files.replace(app_json.file_path(APP), json.dumps({"cron": tasks}))
    with log.collected() as lines:
        yield lines


def out(said):
    return b"".join(data for stream, data in said if stream == 1).decode()


def err(said):
    return b"".join(data for stream, data in said if stream == 2).decode()


def test_the_list_is_cut_where_its_heading_says(said):
    cron_settings.list_(cron_jobs.jobs(APP), "stdout")
    head, *rows = out(said).splitlines()
    places = [head.index(word) for word in ("ID", "Schedule", "Command")]
    ids = [job.id for job in cron_jobs.jobs(APP)]
    cells = [(row[: places[1]].strip(), row[places[1] : places[2]].strip(), row[places[2] :]) for row in rows]
    assert cells == [(ids[0], "0 3 * * *", "a b c"), (ids[1], "@daily", "b")]


def test_the_list_of_all_begins_with_the_app(said):
    cron_settings.list_(cron_jobs.of_all(), "stdout", with_app=True)
    assert [line.split()[0] for line in out(said).splitlines()] == ["App", APP, APP]


def test_programs_get_every_job_as_an_object(said):
    cron_settings.list_(cron_jobs.jobs(APP), "json")
    first, _ = json.loads(out(said))
    assert first == {
        "id": cron_jobs.jobs(APP)[0].id,
        "app": APP,
        "command": "a b\nc",
        "schedule": "0 3 * * *",
        "concurrency_policy": "allow",
        "maintenance": False,
        "global": False,
    }


def test_another_shape_is_refused():
    with pytest.raises(DokkuError, match="Invalid output format specified"):
        cron_settings.list_([], "xml")


def test_a_suspended_job_is_told_beside_the_table_until_it_is_resumed(said):
    id_ = cron_jobs.jobs(APP)[1].id
    cron_settings.suspend(APP, id_)
    cron_settings.list_(cron_jobs.jobs(APP), "stdout")
    assert f" !     {id_} of {APP} is suspended\n" in err(said)
    said.clear()
    cron_settings.resume(APP, id_)
    cron_settings.list_(cron_jobs.jobs(APP), "stdout")
    assert err(said) == ""


def test_a_job_resumed_during_maintenance_is_warned_of(said):
    cron_settings.set_(APP, "maintenance", "true")
    cron_settings.resume(APP, cron_jobs.jobs(APP)[0].id)
    assert "It does not run before maintenance ends" in err(said)


def test_properties_come_in_threes_and_the_text_has_the_count_alone(said):
    cron_settings.set_(properties.GLOBAL, "mailto", "ops@example.com")
    cron_settings.set_(APP, "maintenance", "true")
    found = {row.flag: row.value for row in cron_settings.rows(APP)}
    assert found["--cron-task-count"] == "2"
    keys = ("--cron-mailto", "--cron-global-mailto", "--cron-computed-mailto", "--cron-computed-maintenance")
    assert [found[key] for key in keys] == ["", "ops@example.com", "ops@example.com", "true"]
    assert [row.flag for row in cron_settings.rows(APP) if not row.newer] == ["--cron-task-count"]
    cron_settings.set_(properties.GLOBAL, "mailto", "")
    assert cron_settings.effective(APP, "mailto") == ""


def test_a_broken_file_leaves_the_report_on_all_apps_whole(said):
    files.replace(app_json.file_path(APP), "{")
    assert next(row for row in cron_settings.rows(APP) if row.flag == "--cron-task-count").value == ""
    assert " !     blog: Cannot parse app.json" in err(said)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("", "", "No property specified"),
        ("mail", "x", "Invalid property specified, valid properties include: mailfrom, mailto, maintenance"),
        ("maintenance", "yes", "Invalid maintenance specified, it must be true or false"),
        *(
            ("mailto", value, "Invalid mailto specified")
            for value in ("a\nb", "-x", "a b", '"', "*", "a;b", "é")
        ),
        ("mailfrom", "a" * 1000, "Invalid mailfrom specified"),
    ],
)
def test_what_makes_no_sense_is_refused(key, value, text):
    with pytest.raises(DokkuError) as caught:
        cron_settings.set_(APP, key, value)
    assert caught.value.text == text
    assert properties.get_all("cron", APP) == {}

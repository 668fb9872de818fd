"""The properties of our scheduler: what they may be, and what counts."""

import os

import pytest

from lib.base import log, properties, settings
from lib.base.errors import DokkuError
from lib.runtime import scheduler_settings

APP = "blog"


@pytest.fixture(autouse=True)
def _app(fs):
    os.makedirs(settings.app_dir(APP))
    with log.collected():
        yield


def put(owner, key, value):
    scheduler_settings.set_(owner, key, value)


def test_an_apps_own_number_counts_before_the_global_one():
    assert scheduler_settings.types_at_a_time(APP) == 1
    put("--global", "parallel-schedule-count", "3")
    assert scheduler_settings.types_at_a_time(APP) == 3
    put(APP, "parallel-schedule-count", "2")
    assert scheduler_settings.types_at_a_time(APP) == 2
    put(APP, "parallel-schedule-count", "")
    assert scheduler_settings.types_at_a_time(APP) == 3


def test_minus_one_stands_for_the_cpus_and_nonsense_for_one():
    put(APP, "parallel-schedule-count", "-1")
    assert scheduler_settings.types_at_a_time(APP) == os.cpu_count()
    properties.write("scheduler-docker-local", APP, "parallel-schedule-count", "many")
    assert scheduler_settings.types_at_a_time(APP) == 1


def test_an_app_may_bring_its_own_first_process():
    assert scheduler_settings.has_init(APP)
    put(APP, "init-process", "false")
    assert not scheduler_settings.has_init(APP)


@pytest.mark.parametrize(
    ("owner", "key", "value", "refusal"),
    [
        (APP, "", "", "No key specified"),
        (APP, "x", "1", "valid keys include: disable-chown, init-process, parallel-schedule-count"),
        ("--global", "disable-chown", "true", "valid keys include: init-process, parallel-schedule-count"),
        (APP, "init-process", "1", "must be true or false"),
        (APP, "disable-chown", "yes", "must be true or false"),
        (APP, "parallel-schedule-count", "0", "must be -1 or a number from 1 to 100"),
        (APP, "parallel-schedule-count", "-2", "must be -1 or a number from 1 to 100"),
        (APP, "parallel-schedule-count", "1000", "must be -1 or a number from 1 to 100"),
        ("absent", "init-process", "true", "App absent does not exist"),
    ],
)
def test_what_it_does_not_know_is_refused(owner, key, value, refusal):
    with pytest.raises(DokkuError) as refused:
        put(owner, key, value)
    assert refusal in refused.value.text


def test_the_report_shows_what_is_set_and_what_counts():
    put(APP, "disable-chown", "true")
    put("--global", "parallel-schedule-count", "4")
    rows = {row.flag: row.value for row in scheduler_settings.rows(APP)}
    prefix = "--scheduler-docker-local"
    assert rows[f"{prefix}-disable-chown"] == "true"
    assert rows[f"{prefix}-computed-parallel-schedule-count"] == "4"
    assert rows[f"{prefix}-parallel-schedule-count"] == ""
    assert (
        f"{prefix}-global-init-process",
        "true",
    ) in ((row.flag, row.value) for row in scheduler_settings.global_rows())

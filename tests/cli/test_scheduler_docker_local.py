"""scheduler-docker-local:* as a user sees it."""

import json

import pytest


@pytest.fixture
def app(dokku):
    assert dokku("apps:create", "blog").code == 0
    return "blog"


def test_a_property_is_set_shown_and_unset(dokku, app):
    done = dokku("scheduler-docker-local:set", app, "disable-chown", "true")
    assert (done.out, done.code) == ("=====> Setting disable-chown to true\n", 0)
    flag = "--scheduler-docker-local-disable-chown"
    assert dokku("scheduler-docker-local:report", app, flag).out == "true\n"
    assert dokku("scheduler-docker-local:set", app, "disable-chown").out == "=====> Unsetting disable-chown\n"
    empty = dokku("scheduler-docker-local:report", app, flag)
    assert (empty.err, empty.code) == (" !     not deployed\n", 1)


def test_all_cpus_are_minus_one(dokku, app):
    done = dokku("scheduler-docker-local:set", "--global", "parallel-schedule-count", "-1")
    assert (done.out, done.code) == ("=====> Setting parallel-schedule-count to -1\n", 0)
    found = json.loads(dokku("scheduler-docker-local:report", app, "--format", "json").out)
    assert "-1" in found.values()


def test_bad_words_are_refused(dokku, app):
    done = dokku("scheduler-docker-local:set", app, "init-process", "maybe")
    assert (done.err, done.code) == (" !     Invalid value for init-process, must be true or false\n", 1)

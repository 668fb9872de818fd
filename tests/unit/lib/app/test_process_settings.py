"""ps:set: which properties there are, and where they are kept."""

import os

import pytest

from lib.app import config, options, process_settings
from lib.base import log, settings
from lib.base.errors import AppNotFound, DokkuError
from lib.base.report import Row

APP = "blog"


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


def test_the_restart_policy_is_a_docker_option(said):
    process_settings.set_([APP, "restart-policy", "always"])
    assert options.lines(APP, "deploy") == ["--restart=always"]
    assert said == [(1, b"=====> Setting restart-policy to always\n")]


@pytest.mark.parametrize("policy", ["", "sometimes"])
def test_a_bad_restart_policy_is_refused_and_not_announced(said, policy):
    with pytest.raises(DokkuError, match="Invalid restart-policy specified"):
        process_settings.set_([APP, "restart-policy", policy])
    assert said == []


@pytest.mark.parametrize(
    ("words", "variable", "value"),
    [
        (["restore", "false"], "DOKKU_APP_RESTORE", "0"),
        (["restore", "true"], "DOKKU_APP_RESTORE", "1"),
        (["skip-deploy", "true"], "DOKKU_SKIP_DEPLOY", "true"),
        (["start-cmd", "bin/serve", "--port", "5000"], "DOKKU_START_CMD", "bin/serve --port 5000"),
        (["stop-timeout-seconds", "5"], "DOKKU_DOCKER_STOP_TIMEOUT", "5"),
    ],
)
def test_a_later_property_is_a_variable(words, variable, value):
    process_settings.set_([APP, *words])
    assert config.values(APP) == {variable: value}


def test_a_property_without_a_value_is_unset(said):
    config.set_values(APP, {"DOKKU_START_CMD": "bin/serve"})
    process_settings.set_([APP, "start-cmd"])
    assert config.values(APP) == {}
    assert said == [(1, b"=====> Unsetting start-cmd\n")]


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ([], "Please specify an app"),
        ([APP], "No property specified"),
        (
            [APP, "colour", "red"],
            "Invalid property specified, valid properties include: dockerfile-start-cmd,",
        ),
        ([APP, "restore", "maybe"], "Invalid restore specified"),
        ([APP, "stop-timeout-seconds", "-1"], "Invalid stop-timeout-seconds specified"),
        ([APP, "stop-timeout-seconds", "999999999"], "Invalid stop-timeout-seconds specified"),
    ],
)
def test_a_bad_property_is_refused(words, refusal):
    """NAME-16"""
    with pytest.raises(DokkuError, match=refusal):
        process_settings.set_(words)
    assert config.values(APP) == {}


def test_the_path_of_the_procfile_is_a_property_and_may_be_everybodys():
    process_settings.set_([config.GLOBAL, "procfile-path", "ops/Procfile"])
    rows = {row.flag: row.value for row in process_settings.rows(APP)}
    assert rows["--ps-computed-procfile-path"] == "ops/Procfile"
    process_settings.set_([APP, "procfile-path", "own/Procfile"])
    rows = {row.flag: row.value for row in process_settings.rows(APP)}
    assert rows["--ps-procfile-path"] == "own/Procfile"
    assert rows["--ps-computed-procfile-path"] == "own/Procfile"
    assert rows["--ps-global-procfile-path"] == "ops/Procfile"


def test_what_counts_for_every_app_counts_unless_the_app_says_otherwise():
    process_settings.set_([config.GLOBAL, "stop-timeout-seconds", "90"])
    rows = {row.flag: row.value for row in process_settings.rows(APP)}
    assert rows["--ps-global-stop-timeout-seconds"] == rows["--ps-computed-stop-timeout-seconds"] == "90"
    process_settings.set_([APP, "stop-timeout-seconds", "5"])
    rows = {row.flag: row.value for row in process_settings.rows(APP)}
    assert (rows["--ps-stop-timeout-seconds"], rows["--ps-computed-stop-timeout-seconds"]) == ("5", "5")


def test_nothing_else_is_everybodys():
    known = "valid properties include: procfile-path, skip-deploy, stop-timeout-seconds$"
    with pytest.raises(DokkuError, match=known):
        process_settings.set_([config.GLOBAL, "restart-policy", "always"])


def test_an_unknown_app_is_refused():
    with pytest.raises(AppNotFound):
        process_settings.set_(["nope", "restart-policy", "always"])


def test_the_report_shows_the_restart_policy_and_has_the_later_properties():
    options.add(APP, ["deploy"], "--restart=on-failure:10")
    config.set_values(APP, {"DOKKU_SKIP_DEPLOY": "true"})
    rows = process_settings.rows(APP)
    assert [row[:2] for row in rows if not row.newer] == [("--ps-restart-policy", "on-failure:10")]
    assert Row("--ps-skip-deploy", "true", newer=True) in rows


def test_an_app_is_restored_unless_it_was_stopped():
    assert process_settings.is_restored(APP)
    config.set_values(APP, {"DOKKU_APP_RESTORE": "0"})
    assert not process_settings.is_restored(APP)

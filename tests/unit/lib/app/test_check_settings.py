"""Which types are checked, and how lists and numbers in the config change."""

import os

import pytest

from lib.app import check_settings, config
from lib.base import log, properties, settings
from lib.base.errors import DokkuError
from lib.base.report import Row

APP = "blog"


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


def text_of(said):
    return b"".join(data for _, data in said).decode()


def lists():
    return tuple(
        ",".join(check_settings.listed(APP, name))
        for name in ("DOKKU_CHECKS_DISABLED", "DOKKU_CHECKS_SKIPPED")
    )


def test_a_new_app_is_checked():
    assert not check_settings.is_disabled(APP, "web")
    assert not check_settings.is_skipped(APP, "web")


def test_disabling_without_types_disables_all(said):
    check_settings.skip(APP, ["web"])
    check_settings.disable(APP, [])
    assert lists() == ("_all_", "")
    assert check_settings.is_disabled(APP, "anything")
    assert text_of(said).endswith("-----> Disabling zero downtime for app (blog)\n")


def test_skipping_some_types_takes_them_off_the_disabled_ones(said):
    check_settings.disable(APP, ["web,worker,urgentworker,notifications"])
    check_settings.skip(APP, ["urgentworker,worker"])
    assert lists() == ("web,notifications", "urgentworker,worker")
    assert "-----> Skipping zero downtime for app's (blog) proctypes (urgentworker,worker)\n" in text_of(said)


def test_naming_a_type_replaces_all_of_them():
    check_settings.disable(APP, [])
    check_settings.disable(APP, ["worker"])
    assert lists() == ("worker", "")
    assert not check_settings.is_disabled(APP, "web")


def test_a_type_whose_name_begins_like_another_stays():
    check_settings.disable(APP, ["web2,web"])
    check_settings.enable(APP, ["web"])
    assert lists() == ("web2", "")


def test_enabling_without_types_enables_all(said):
    check_settings.disable(APP, ["web"])
    check_settings.skip(APP, ["worker"])
    check_settings.enable(APP, [])
    assert lists() == ("", "")
    assert config.values(APP) == {}
    assert text_of(said).endswith("-----> Enabling zero downtime for app's (blog)\n")


def test_enabling_one_of_all_leaves_the_apps_other_types_disabled():
    with open(os.path.join(settings.app_dir(APP), "DOKKU_SCALE"), "w") as file:
        file.write("web=1\nworker=1\nclock=0\n")
    check_settings.disable(APP, [])
    check_settings.enable(APP, ["web"])
    assert lists() == ("worker,clock", "")


def test_types_may_be_given_as_words_or_with_commas():
    check_settings.disable(APP, ["web", "worker,clock"])
    assert lists() == ("web,worker,clock", "")


@pytest.mark.parametrize("name", ["a.b", "../x", "-w", "web;id", "w\n"])
def test_what_is_no_process_type_is_refused(name):
    with pytest.raises(DokkuError, match="Invalid process type specified"):
        check_settings.disable(APP, [name])
    assert lists() == ("", "")


def test_the_lists_of_a_later_dokku_are_read_and_left_behind_on_a_change():
    properties.write("checks", APP, "disabled", "worker")
    assert check_settings.is_disabled(APP, "worker")
    check_settings.enable(APP, ["worker"])
    assert not check_settings.is_disabled(APP, "worker")


def test_a_number_is_the_apps_then_the_hosts_then_the_default():
    assert check_settings.number(APP, "default-wait") == 10
    config.set_values(config.GLOBAL, {"DOKKU_DEFAULT_CHECKS_WAIT": "3"})
    assert check_settings.number(APP, "default-wait") == 3
    config.set_values(APP, {"DOKKU_DEFAULT_CHECKS_WAIT": "0"})
    assert check_settings.number(APP, "default-wait") == 0


@pytest.mark.parametrize("text", ["soon", "-1", "1e3", "٣", "1000000000000"])
def test_a_number_that_is_none_counts_as_the_default(text):
    config.set_values(APP, {"DOKKU_CHECKS_TIMEOUT": text})
    assert check_settings.number(APP, "timeout") == 30


def test_setting_a_property_sets_its_variable(said):
    check_settings.set_(APP, "wait-to-retire", "30")
    assert config.get(APP, "DOKKU_WAIT_TO_RETIRE") == "30"
    check_settings.set_(APP, "wait-to-retire", "")
    assert config.values(APP) == {}
    assert text_of(said) == "=====> Setting wait-to-retire to 30\n=====> Unsetting wait-to-retire\n"


@pytest.mark.parametrize(
    ("key", "value", "refusal"),
    [
        ("", "", "No key specified"),
        ("colour", "red", "Invalid key specified, valid keys include: attempts, default-wait"),
        ("timeout", "-1", "Invalid value for timeout"),
        ("timeout", "1e3", "Invalid value for timeout"),
        ("timeout", "99999999", "Invalid value for timeout"),
    ],
)
def test_a_bad_property_is_refused(key, value, refusal):
    with pytest.raises(DokkuError, match=refusal):
        check_settings.set_(APP, key, value)
    assert config.values(APP) == {}


def test_the_report_shows_the_two_lists_first_and_only_them_as_text():
    check_settings.disable(APP, ["web"])
    rows = check_settings.rows(APP)
    assert [(row.flag, row.value) for row in rows if not row.newer] == [
        ("--checks-disabled-list", "web"),
        ("--checks-skipped-list", "none"),
    ]
    assert Row("--checks-computed-wait-to-retire", "60", newer=True) in rows

"""Properties of builds: whose value counts, and what can be none."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.app import config
from lib.base import log, properties
from lib.base import settings as host
from lib.base.errors import DokkuError
from lib.build import builder_settings

APP = "blog"


@pytest.fixture(autouse=True)
def said(fs):
    os.makedirs(host.app_dir(APP))
    with log.collected() as lines:
        yield lines


@pytest.mark.parametrize("key", builder_settings.DEFAULTS)
def test_the_apps_value_counts_before_the_hosts_and_that_before_the_default(key):
    value = {"skip-cleanup": "true"}.get(key, "mine")
    other = {"skip-cleanup": "false"}.get(key, "general")

    assert builder_settings.computed(APP, key) == builder_settings.DEFAULTS[key]
    builder_settings.set_(properties.GLOBAL, key, other)
    assert builder_settings.computed(APP, key) == other
    builder_settings.set_(APP, key, value)
    assert builder_settings.computed(APP, key) == value
    builder_settings.set_(APP, key, "")
    assert builder_settings.computed(APP, key) == other


@given(st.text(alphabet="ab./ \n\x00é", max_size=12))
@settings(max_examples=200)
def test_a_build_dir_is_stored_as_a_path_that_stays_in_the_source_or_refused(value):
    try:
        builder_settings.set_("--global", "build-dir", value)
    except DokkuError:
        return
    stored = builder_settings.general("build-dir")
    properties.delete("builder", "--global", "build-dir")
    if value:
        assert os.path.normpath(os.path.join("/top", stored)) == f"/top/{stored}"
        assert stored not in ("", ".")
        assert not set(stored) & set("\n\x00")


@given(st.text(max_size=12))
@settings(max_examples=200)
def test_a_name_that_was_let_in_is_one_word_without_a_path(name):
    try:
        builder_settings.verified_name(name)
    except DokkuError:
        return
    assert name.isprintable()
    assert name.split() == [name]
    assert not name.startswith("-")
    assert "/" not in name


@pytest.mark.parametrize(
    ("variable", "value", "own", "skips"),
    [
        ("", "", "", False),
        ("", "", "true", True),
        ("", "", "false", False),
        ("environment", "1", "", True),
        ("app", "true", "false", True),
        ("host", "1", "", True),
    ],
)
def test_cleaning_up_is_left_out_by_the_property_or_the_older_variable(
    monkeypatch, variable, value, own, skips
):
    if variable == "environment":
        monkeypatch.setenv("DOKKU_SKIP_CLEANUP", value)
    elif variable:
        owner = APP if variable == "app" else config.GLOBAL
        config.set_values(owner, {"DOKKU_SKIP_CLEANUP": value})
    if own:
        builder_settings.set_(APP, "skip-cleanup", own)

    assert builder_settings.skips_cleanup(APP) is skips

"""Variables that app.json asks for: which are set, when, and what is refused."""

import json
import os

import pytest

from lib.app import app_json, app_json_variables, config
from lib.base import files, log, properties, settings
from lib.base.errors import DokkuError

APP = "blog"


@pytest.fixture(autouse=True)
def said(fs, shell, monkeypatch):
    """What the code under test writes: pairs of stream and bytes. Nobody is at a terminal."""
    os.makedirs(settings.app_dir(APP))
    monkeypatch.setattr("os.isatty", lambda _: False)
    with log.collected() as lines:
        yield lines


def want(**variables):
    files.replace(app_json.file_path(APP), json.dumps({"env": variables}))


def text_of(said):
    return b"".join(data for _, data in said).decode()


def test_an_app_that_asks_for_nothing_hears_nothing(said):
    app_json_variables.set_missing(APP)
    assert said == []


def test_a_first_deploy_sets_defaults_and_makes_secrets(said):
    want(PLAIN="x", VALUED={"value": "y"}, SECRET={"generator": "secret"}, IDLE={"required": False})
    app_json_variables.set_missing(APP)
    found = config.values(APP)
    assert (found["PLAIN"], found["VALUED"], len(found["SECRET"]), len(found)) == ("x", "y", 64, 3)
    assert text_of(said) == (
        "-----> Processing app.json env vars\n-----> Setting 3 env var(s) from app.json\n"
    )
    assert found["SECRET"] not in text_of(said)


def test_what_is_set_stays_and_a_secret_is_made_once(said):
    want(PLAIN="x", SECRET={"generator": "secret", "value": "x", "sync": True}, SHARED="z")
    config.set_values(APP, {"PLAIN": "own", "SECRET": "kept"})
    config.set_values(config.GLOBAL, {"SHARED": "everybody's"})
    app_json_variables.set_missing(APP)
    assert config.values(APP) == {"PLAIN": "own", "SECRET": "kept"}
    assert text_of(said).endswith("       No env vars to set from app.json\n")


def test_a_later_deploy_only_keeps_in_sync():
    properties.write("common", APP, "deployed", "true")
    config.set_values(APP, {"SYNCED": "old", "FREE": {"required": True} and "own"})
    want(SYNCED={"value": "new", "sync": True}, FREE="default", LATER="default", NEEDED={})
    app_json_variables.set_missing(APP)
    assert config.values(APP) == {"SYNCED": "new", "FREE": "own"}


def test_a_required_one_without_a_value_stops_the_deploy_and_sets_nothing():
    want(PLAIN="x", NEEDED={"description": "ask"})
    with pytest.raises(DokkuError) as caught:
        app_json_variables.set_missing(APP)
    assert caught.value.text == "required env var NEEDED has no value, no default, and no TTY for prompt"
    assert config.values(APP) == {}


@pytest.mark.parametrize(("typed", "found"), [("given\n", {"NEEDED": "given"}), ("\n", {})])
def test_somebody_at_a_terminal_is_asked(monkeypatch, capfd, typed, found):
    import io

    log._state.sink = None  # who collects what is said asks nobody
    monkeypatch.setattr("os.isatty", lambda _: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    want(NEEDED={"description": "the key"})
    if found:
        app_json_variables.set_missing(APP)
    else:
        with pytest.raises(DokkuError, match="required env var NEEDED cannot be empty"):
            app_json_variables.set_missing(APP)
    assert config.values(APP) == found
    assert "-----> Enter value for NEEDED (the key)\n> " in capfd.readouterr().out


@pytest.mark.parametrize(
    "key", ["DOKKU_SKIP_DEPLOY", "DOKKU_APP_SHELL", "DOKKU_DOCKERFILE_START_CMD", "NO_VHOST"]
)
@pytest.mark.parametrize("entry", ["true", {"value": "true", "sync": True}, {"generator": "secret"}, {}])
def test_a_setting_of_dokkus_is_ignored_with_its_line_and_key(said, key, entry):
    text = json.dumps({"env": {"PLAIN": "x", key: entry}}).replace(f'"{key}"', f'\n\n"{key}"')
    files.replace(app_json.file_path(APP), text)
    app_json_variables.set_missing(APP)
    assert config.values(APP) == {"PLAIN": "x"}
    wanted = f"app.json, line 3: env.{key} is a setting of dokku's and was ignored: use config:set\n"
    assert wanted in text_of(said)


def test_a_setting_that_the_operator_made_stays_as_it_is(said):
    config.set_values(APP, {"DOKKU_APP_SHELL": "/bin/sh"})
    want(DOKKU_APP_SHELL={"value": "/evil", "sync": True})
    app_json_variables.set_missing(APP)
    assert config.values(APP) == {"DOKKU_APP_SHELL": "/bin/sh"}


def test_names_that_only_programs_of_the_host_would_read_are_the_apps_own():
    want(LD_PRELOAD="/x.so", GIT_CONFIG_GLOBAL="/x", BUILDPACK_URL="u")
    app_json_variables.set_missing(APP)
    assert len(config.values(APP)) == 3

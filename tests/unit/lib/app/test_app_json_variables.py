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

"""What config:set and its kin say, and the restart that follows."""

import contextlib
import io
import os

import pytest

from lib.app import config, config_changes
from lib.base import locks, log, properties, settings
from lib.base.errors import AppNotFound, DokkuError, Locked

APP = "blog"
NOT_DEPLOYED = f" !     App {APP} has not been deployed"


@pytest.fixture(autouse=True)
def said(fs, shell):
    """What the code under test writes. No program starts."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines
    assert shell.ran == []


@pytest.fixture
def fired(monkeypatch):
    """Triggers that were fired for a deployed app, post-config-update aside."""
    properties.write("common", APP, "deployed", "true")
    calls = []
    monkeypatch.setattr("lib.base.triggers.fire", lambda *words: calls.append(words))
    return lambda: [words for words in calls if words[0] != "post-config-update"]


def lines_of(said, stream=1):
    return b"".join(data for number, data in said if number == stream).decode().splitlines()


def test_a_command_line_names_an_app_and_the_rest_is_its_own():
    assert config_changes.addressed([APP, "A", "B"], is_global=False) == (APP, ["A", "B"])


def test_global_stands_in_place_of_the_app():
    assert config_changes.addressed(["A", "B"], is_global=True) == ("--global", ["A", "B"])
    assert config_changes.addressed(["--global", "A"], is_global=False) == ("--global", ["A"])


@pytest.mark.parametrize(("words", "code"), [(["nope"], 20), ([], 1), ([""], 1), (["No_App"], 1)])
def test_an_app_that_is_not_there_is_refused(words, code):
    with pytest.raises(DokkuError) as refusal:
        config_changes.addressed(words, is_global=False)
    assert refusal.value.exit_code == code
    assert isinstance(refusal.value, AppNotFound) == (code == 20)


def test_setting_names_the_keys_and_hides_the_values_from_logs(said):
    """SEC-3"""
    config_changes.set_pairs(APP, ["LONG=1=2", "B=hunter2"], encoded=False, restart=False)
    assert config.values(APP) == {"LONG": "1=2", "B": "hunter2"}
    assert lines_of(said) == ["-----> Setting config vars", "       B:     *****", "       LONG:  *****"]


def test_setting_shows_the_values_on_a_terminal(said, monkeypatch):
    monkeypatch.setattr("os.isatty", lambda descriptor: descriptor == 1)
    config_changes.set_pairs(APP, ["LONG=1", "B=2 3"], encoded=False, restart=False)
    assert lines_of(said) == ["-----> Setting config vars", "       B:     2 3", "       LONG:  1"]


def test_setting_is_silent_when_quiet(said, monkeypatch):
    monkeypatch.setenv("DOKKU_QUIET_OUTPUT", "1")
    config_changes.set_pairs(APP, ["A=1"], encoded=False, restart=False)
    assert lines_of(said) == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "At least one env pair must be given"),
        (["A=1", "B"], "Invalid env pair: B"),
        (["A=1", "=1"], "Invalid key name: ''"),
        (["A=1", "B-C=1"], "Invalid key name: 'B-C'"),
    ],
)
def test_a_bad_pair_is_refused_and_nothing_set(words, text):
    with pytest.raises(DokkuError) as refusal:
        config_changes.set_pairs(APP, words, encoded=False, restart=True)
    assert refusal.value.text == text
    assert config.values(APP) == {}


def test_encoded_values_are_decoded_to_the_byte():
    config_changes.set_pairs(APP, ["A=w6kKIA==", "B=", "C=/w=="], encoded=True, restart=False)
    assert config.values(APP) == {"A": "é\n ", "B": "", "C": "\udcff"}


@pytest.mark.parametrize("text", ["aGk", "a===", "not base64", "aGk=é"])
def test_a_value_that_is_not_base64_is_refused_by_key(text):
    with pytest.raises(DokkuError) as refusal:
        config_changes.set_pairs(APP, ["A=aGk=", f"K={text}"], encoded=True, restart=False)
    assert refusal.value.text == "illegal base64 data for key 'K'"
    assert config.values(APP) == {}


def test_unsetting_says_what_was_and_was_not_set(said):
    config.set_values(APP, {"A": "1"})
    config_changes.unset(APP, ["A", "B"], restart=False)
    assert lines_of(said) == ["-----> Unsetting A", "-----> Skipping B, it is not set in the environment"]


def test_unsetting_nothing_is_refused():
    with pytest.raises(DokkuError, match="At least one key must be given"):
        config_changes.unset(APP, [], restart=True)


def test_clearing_names_each_key(said):
    config.set_values(APP, {"B": "1", "A": "1"})
    config_changes.clear(APP, restart=False)
    assert lines_of(said) == ["-----> Unsetting A", "-----> Unsetting B"]


CHANGES = {
    "set": lambda restart: config_changes.set_pairs(APP, ["A=1"], encoded=False, restart=restart),
    "unset": lambda restart: config_changes.unset(APP, ["A"], restart=restart),
    "clear": lambda restart: config_changes.clear(APP, restart=restart),
    "import": lambda restart: config_changes.import_(APP, "/in", "envfile", replace=False, restart=restart),
}


@pytest.fixture
def change(request, fs):
    fs.create_file("/in", contents="A=1\n")
    return CHANGES[request.param]


each_change = pytest.mark.parametrize("change", CHANGES, indirect=True)


@each_change
def test_a_deployed_app_is_restarted(change, fired, said):
    change(restart=True)
    assert fired() == [("app-restart", APP)]
    assert lines_of(said)[-1] == f"-----> Restarting app {APP}"


@each_change
def test_no_restart_leaves_the_app_alone(change, fired, said):
    change(restart=False)
    assert fired() == []
    assert lines_of(said, 2) == []


@each_change
def test_an_app_without_a_deploy_is_not_restarted(change, said):
    change(restart=True)
    assert lines_of(said, 2) == [NOT_DEPLOYED]
    assert not any("Restarting" in line for line in lines_of(said))


def test_a_stopped_app_stays_stopped(fired):
    config.set_values(APP, {"DOKKU_APP_RESTORE": "0"})
    config_changes.set_pairs(APP, ["A=1"], encoded=False, restart=True)
    assert fired() == []


def test_global_config_restarts_nothing(fired, said):
    config_changes.set_pairs(config.GLOBAL, ["A=1"], encoded=False, restart=True)
    assert fired() == []
    assert lines_of(said, 2) == []


def test_a_restart_that_fails_is_a_warning(fired, said, monkeypatch):
    def fail(name, *_):
        if name == "app-restart":
            raise DokkuError("", exit_code=7)

    monkeypatch.setattr("lib.base.triggers.fire", fail)
    config_changes.set_pairs(APP, ["A=1"], encoded=False, restart=True)
    assert config.get(APP, "A") == "1"
    assert lines_of(said, 2) == [" !     Failure while restarting app: exit status 7"]


@pytest.mark.parametrize(
    ("shape", "text"), [("envfile", '# c\nA="x\ny"\nB=2\n'), ("json", '{"A":"x\\ny","B":"2"}')]
)
def test_a_file_is_imported_and_its_values_not_shown(shape, text, said, fs):
    fs.create_file("/in", contents=text)
    config.set_values(APP, {"C": "3"})
    config_changes.import_(APP, "/in", shape, replace=False, restart=False)
    assert config.values(APP) == {"A": "x\ny", "B": "2", "C": "3"}
    assert lines_of(said) == ["-----> Setting config var A", "-----> Setting config var B"]


def test_an_import_may_drop_all_others(fs):
    fs.create_file("/in", contents="A=1")
    config.set_values(APP, {"C": "3"})
    config_changes.import_(APP, "/in", "envfile", replace=True, restart=False)
    assert config.values(APP) == {"A": "1"}


@pytest.mark.parametrize(
    ("shape", "text", "refusal"),
    [
        ("envfile", "# nothing\n", "No config vars to set"),
        ("envfile", "A-B=1", "Invalid key name: 'A-B'"),
        ("envfile", "A=1\nB", "/in, line 2: no variable is set there"),
        ("json", "{}", "No config vars to set"),
        ("json", "{", "Unable to read /in: no valid JSON"),
        ("json", '{"A": 1}', "Unable to read /in: not a JSON object of strings"),
        ("json", '["A"]', "Unable to read /in: not a JSON object of strings"),
        ("yaml", "A: 1", "Unknown import format: yaml"),
    ],
)
def test_a_file_that_cannot_be_imported_changes_nothing(shape, text, refusal, fs):
    fs.create_file("/in", contents=text)
    config.set_values(APP, {"C": "3"})
    with pytest.raises(DokkuError) as error:
        config_changes.import_(APP, "/in", shape, replace=True, restart=False)
    assert error.value.text == refusal
    assert config.values(APP) == {"C": "3"}


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(DokkuError, match="Unable to read /in: No such file or directory"):
        config_changes.import_(APP, "/in", "envfile", replace=False, restart=False)


def test_an_endless_file_is_refused(monkeypatch):
    monkeypatch.setattr("builtins.open", lambda *_, **__: io.BytesIO(b"A=1\n" * 5_000_000))
    with pytest.raises(DokkuError, match="Unable to import more than"):
        config_changes.import_(APP, "/in", "envfile", replace=False, restart=False)


def test_a_restart_waits_for_the_deploy_of_somebody_else(fired, said, monkeypatch):
    left = [True, True, True, False, False]
    monkeypatch.setattr(locks, "is_others", lambda _app: left.pop(0))
    config_changes.set_pairs(APP, ["A=1"], encoded=False, restart=True)
    assert fired() == [("app-restart", APP)]
    assert "-----> Waiting for the deploy of blog that is under way, at most 900 seconds" in lines_of(said)


def test_a_restart_that_waited_too_long_is_a_failure(fired, said, monkeypatch):
    monkeypatch.setattr(locks, "is_others", lambda _app: True)
    with pytest.raises(
        DokkuError, match="The variables of blog are set, but it was not restarted"
    ) as refused:
        config_changes.set_pairs(APP, ["A=1"], encoded=False, restart=True)
    assert "builds:cancel blog" in refused.value.more[0]
    assert (fired(), config.get(APP, "A")) == ([], "1")


@pytest.mark.parametrize("frozen", [True, False])
def test_a_lock_is_a_warning_only_if_people_made_it(said, monkeypatch, frozen):
    properties.write("common", APP, "deployed", "true")
    if frozen:
        locks.lock_manually(APP)

    def refuse(name, *_):
        if name == "app-restart":
            raise Locked("locked")

    monkeypatch.setattr("lib.base.triggers.fire", refuse)
    with contextlib.nullcontext() if frozen else pytest.raises(Locked):
        config_changes.set_pairs(APP, ["A=1"], encoded=False, restart=True)

"""Reading, changing and keeping an app's variables: what is on disk after it, and what is refused."""

import os
import stat

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lib.app import config
from lib.base import files, log, properties, settings
from lib.base.errors import AppNotFound, DokkuError

APP = "blog"
VALUES = st.binary(max_size=40).map(lambda data: data.replace(b"\0", b"").decode("utf-8", "surrogateescape"))
ENVIRONMENTS = st.dictionaries(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True), VALUES, max_size=5
)
with_fs = hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)


@pytest.fixture(autouse=True)
def said(fs, shell):
    """What the code under test writes. No program starts."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines
    assert shell.ran == []


def give(text, owner=APP):
    files.replace(config.path(owner), text)


def on_disk(owner=APP):
    return files.read(config.path(owner))


def text_of(said):
    return b"".join(data for _, data in said).decode()


def test_a_variable_that_was_set_is_read_back():
    config.set_values(APP, {"A": "1", "B": "two words"})
    assert config.values(APP) == {"A": "1", "B": "two words"}
    assert config.get(APP, "B") == "two words"


def test_an_app_without_a_file_has_no_config():
    assert config.values(APP) == {}
    assert config.get(APP, "A", "default") == "default"


def test_a_variable_set_to_nothing_is_not_the_default():
    config.set_values(APP, {"A": ""})
    assert config.get(APP, "A", "default") == ""


def test_the_file_is_private():
    config.set_values(APP, {"A": "1"})
    assert stat.S_IMODE(os.stat(config.path(APP)).st_mode) == 0o600


def test_setting_keeps_the_others():
    config.set_values(APP, {"A": "1", "B": "1"})
    config.set_values(APP, {"B": "2", "C": "2"})
    assert on_disk() == 'A="1"\nB="2"\nC="2"'


def test_setting_what_is_set_does_not_write():
    give('A="1" # by hand\n')
    config.set_values(APP, {"A": "1"})
    assert on_disk() == 'A="1" # by hand\n'


def test_the_apps_own_value_wins_over_the_global_one():
    config.set_values(config.GLOBAL, {"A": "global", "B": "global"})
    config.set_values(APP, {"A": "app"})
    assert config.merged(APP) == {"A": "app", "B": "global"}
    assert [config.effective(APP, key, "none") for key in "ABC"] == ["app", "global", "none"]


def test_an_empty_own_value_hides_the_global_one():
    config.set_values(config.GLOBAL, {"A": "true"})
    config.set_values(APP, {"A": ""})
    assert config.effective(APP, "A") == ""
    assert not config.is_true(APP, "A")


def test_only_the_word_true_is_true():
    config.set_values(APP, {"A": "true", "B": "1"})
    assert config.is_true(APP, "A")
    assert not config.is_true(APP, "B")


@pytest.mark.parametrize("key", ["A-B", "1A", "A B", "A=", "", "A$(x)", "A\n", "É"])
def test_an_invalid_key_is_refused_and_nothing_written(key):
    """NAME-5"""
    with pytest.raises(DokkuError) as refusal:
        config.set_values(APP, {"GOOD": "1", key: "1"})
    assert refusal.value.text == f"Invalid key name: '{key}'"
    assert not os.path.exists(config.path(APP))


def test_a_nul_is_refused_without_showing_the_value():
    """NAME-6"""
    with pytest.raises(DokkuError) as refusal:
        config.set_values(APP, {"A": "hunter2\0"})
    assert refusal.value.text == "Invalid value for A: it holds a NUL byte"


def test_a_value_of_the_size_a_program_can_get_is_taken():
    """NAME-6"""
    config.set_values(APP, {"A": "x" * (config.LIMIT - 3)})
    assert len(config.get(APP, "A")) == config.LIMIT - 3


def test_a_larger_value_is_refused_by_key_and_size():
    """NAME-6"""
    with pytest.raises(DokkuError) as refusal:
        config.set_values(APP, {"A": "x" * (config.LIMIT - 2)})
    assert "for A: 131072 bytes" in refusal.value.text


def test_unsetting_tells_what_was_set():
    config.set_values(APP, {"A": "1", "B": "1"})
    assert config.unset_values(APP, ["B", "X", "B"]) == ["B"]
    assert config.values(APP) == {"A": "1"}


def test_clearing_tells_what_was_set_and_leaves_nothing():
    config.set_values(APP, {"A": "1", "B": "1"})
    assert config.clear_values(APP) == ["A", "B"]
    assert config.values(APP) == {}


def test_replacing_drops_all_others():
    config.set_values(APP, {"A": "1", "B": "1"})
    config.replace_values(APP, {"C": "1"})
    assert config.values(APP) == {"C": "1"}


def test_invalid_keys_on_disk_are_left_out_when_read():
    """NAME-5"""
    give("A-B=1\nC=1\n")
    assert config.values(APP) == {"C": "1"}
    assert on_disk() == "A-B=1\nC=1\n"


def test_invalid_keys_on_disk_are_dropped_at_the_next_write(said):
    give("A-B=1\nC=1\n")
    config.set_values(APP, {"D": "1"})
    assert on_disk() == 'C="1"\nD="1"'
    assert text_of(said) == f"-----> Deleting invalid key A-B from config for {APP}\n"


def test_the_place_of_later_releases_is_read_where_there_is_no_file_yet():
    files.replace(os.path.join(settings.lib(), "config", APP, "ENV"), 'A=7\nB="two\nlines"\n')
    assert config.values(APP) == {"A": "7", "B": "two\nlines"}
    config.set_values(APP, {"C": "1"})
    assert on_disk() == 'A="7"\nB="two\\nlines"\nC="1"'


def test_an_app_that_is_gone_is_not_made_again():
    with pytest.raises(AppNotFound):
        config.set_values("gone", {"A": "1"})
    assert not os.path.exists(settings.app_dir("gone"))


def test_plugins_hear_of_names_and_not_of_values(monkeypatch):
    """SEC-2"""
    heard = []
    monkeypatch.setattr("lib.base.triggers.fire", lambda *words: heard.append(words))
    config.set_values(APP, {"A": "hunter2", "B": "1"})
    config.unset_values(APP, ["A", "X"])
    config.unset_values(APP, ["X"])
    config.clear_values(APP)
    config.set_values(config.GLOBAL, {"G": "1"})
    event = "post-config-update"
    assert heard == [
        (event, APP, "set", "A", "B"),
        (event, APP, "unset", "A"),
        (event, APP, "clear"),
        (event, "--global", "set", "G"),
    ]


def test_a_plugin_that_fails_does_not_undo_the_change(monkeypatch, said):
    def refuse(*_):
        raise DokkuError("", exit_code=3)

    monkeypatch.setattr("lib.base.triggers.fire", refuse)
    config.set_values(APP, {"A": "1"})
    assert config.get(APP, "A") == "1"
    assert text_of(said) == " !     Failure while triggering post-config-update: exit status 3\n"


def test_a_file_that_lost_its_content_is_refused_by_name():
    """CRS-5"""
    config.set_values(APP, {"A": "1", "B": "hunter2"})
    give("")
    with pytest.raises(DokkuError) as refusal:
        config.values(APP)
    assert refusal.value.text == f"{config.path(APP)} is cut off: it held A, B"


@pytest.mark.parametrize(
    "change", [lambda: config.set_values(APP, {"C": "1"}), lambda: config.unset_values(APP, "A")]
)
def test_a_file_that_lost_its_content_is_not_written_back(change):
    """CRS-5"""
    config.set_values(APP, {"A": "1", "B": "1"})
    give("")
    with pytest.raises(DokkuError):
        change()
    assert on_disk() == ""


@with_fs
@given(ENVIRONMENTS, st.data())
def test_a_file_cut_anywhere_is_refused_unless_it_ends_with_a_line_end(new, data):
    """CRS-5"""
    config.clear_values(APP)
    config.set_values(APP, new)
    text = on_disk()
    cut = data.draw(st.integers(0, max(len(text) - 1, 0)))
    give(text[:cut])
    if text[:cut] == text or text[:cut].endswith("\n"):
        assert config.values(APP).items() <= new.items()
        return
    with pytest.raises(DokkuError):
        config.values(APP)
    assert on_disk() == text[:cut]


@with_fs
@given(ENVIRONMENTS, ENVIRONMENTS)
def test_a_crash_between_the_file_and_its_names_leaves_a_readable_pair(old, new):
    """CRS-4"""
    config.replace_values(APP, old)
    for text, names in states_during(lambda: config.replace_values(APP, new)):
        give(text)
        properties.write_list("config", APP, "keys", names)
        assert config.values(APP) in (old, new)


def states_during(work):
    """The pairs of file and names that a crash could leave: before, and after each write that work makes."""
    seen = []

    def look(*words):
        os.rename(*words)
        seen.append((on_disk(), properties.get_list("config", APP, "keys")))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", look)
        seen.append((on_disk(), properties.get_list("config", APP, "keys")))
        work()
    assert len(seen) > 1
    return seen


def test_clearing_gets_out_of_a_file_that_was_cut_off():
    config.set_values(APP, {"A": "1", "B": "1"})
    give('A="1"\nB="')
    assert config.clear_values(APP) == ["A", "B"]
    config.set_values(APP, {"C": "1"})
    assert config.values(APP) == {"C": "1"}


def test_an_empty_file_of_an_older_release_is_no_config():
    give("")
    assert config.values(APP) == {}


def test_a_file_emptied_by_config_unset_is_no_config():
    config.set_values(APP, {"A": "1"})
    config.unset_values(APP, ["A"])
    assert on_disk() == ""
    assert config.values(APP) == {}


@pytest.mark.parametrize("text", ['A="1"\n', "\n", 'A="1"\nB="2"\n', "B=9\n"])
def test_an_edit_by_hand_counts(text):
    config.set_values(APP, {"A": "1", "B": "2"})
    give(text)
    assert config.values(APP) == config.parse(text)


def test_a_file_taken_away_by_hand_is_no_config():
    config.set_values(APP, {"A": "1"})
    os.unlink(config.path(APP))
    assert config.values(APP) == {}
    config.set_values(APP, {"B": "1"})
    assert config.values(APP) == {"B": "1"}

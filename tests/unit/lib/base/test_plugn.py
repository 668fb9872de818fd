"""The list of plugins, and which words plugn takes. Triggers through it: tests/plugins."""

import os

import pytest

from lib.base import identity, plugn, settings, triggers
from lib.base.errors import UsageError


@pytest.fixture
def available(fs):
    """Make a plugin that is there; its plugin.toml."""

    def make(name, toml):
        path = os.path.join(settings.lib(), "plugins/available", name)
        fs.create_file(os.path.join(path, "plugin.toml"), contents=toml)
        return path

    return make


def test_a_line_has_name_version_state_and_description_in_columns(available, fs):
    path = available("redis", '[plugin]\ndescription = "redis service"\nversion = "1.35.4"\n')
    assert plugn.listing() == ["  redis                1.35.4 disabled   redis service"]
    fs.create_symlink(os.path.join(settings.plugins_enabled(), "redis"), path)
    assert plugn.listing() == ["  redis                1.35.4 enabled    redis service"]


@pytest.mark.parametrize("toml", ["", "no toml [", "plugin = 1\n", "[plugin]\n"])
def test_a_plugin_that_says_nothing_about_itself_is_listed(available, toml):
    available("b", toml)
    available("A", "[plugin]\nversion = 2\n")
    assert [line.split() for line in plugn.listing()] == [["A", "2", "disabled"], ["b", "disabled"]]


def test_a_file_among_the_plugins_is_none(available, fs):
    available("a", "")
    fs.create_file(os.path.join(settings.lib(), "plugins/available/README"))
    assert len(plugn.listing()) == 1


@pytest.mark.parametrize("words", [[], ["trigger"], ["enable", "x"], ["--help"]])
def test_other_words_are_refused(fs, words):
    with pytest.raises(UsageError):
        plugn._run(words)


@pytest.mark.parametrize(
    ("name", "as_user"), [("post-deploy", True), ("install", False), ("dependencies", False)]
)
def test_root_stays_root_only_for_hooks_that_set_up_the_host(fs, monkeypatch, name, as_user):
    assumed = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(identity, "assume", lambda *words: assumed.append(words))
    monkeypatch.setattr(triggers, "fire", lambda *words: assumed.append(("fired", *words)))
    plugn._run(["trigger", name, "x"])
    assert assumed[-1] == ("fired", name, "x")
    assert (len(assumed) == 2) == as_user

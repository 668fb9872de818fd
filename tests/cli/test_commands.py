"""Every command that takes an existing app, found by its own help: what it says when there is no such app."""

import re

import pytest

from commands import _modules
from tests.cli.conftest import Dokku

NO_APP = " !     Please specify an app to run the command on"
BEGIN = " !     App name must begin with lowercase alphanumeric character, and"
BAD_NAMES = {
    "Nope": f"{BEGIN} cannot include uppercase characters, colons, or underscores",
    "a/../b": f"{BEGIN} may only contain lowercase alphanumerics, dots, and hyphens",
}
# These make the app, or belong to a push that does.
CREATING = ("apps:create", "git-hook", "git-receive-pack", "git-upload-archive", "git-upload-pack")
# Without a name these mean all apps, the whole host or nothing at all.
OPTIONAL = ("cleanup", "logs:failed")
# What stands for a word of a command's help that is not the app; anything else is `x`.
WORDS = {
    "<key=value>...": "KEY=value",
    "<key>": "KEY",
    "<key>...": "KEY",
    "<domain>": "blog.test",
    "<new-app>": "other",
    "<file>|-": "-",
    "<proxy-type>|<property>": "nginx",
    "<scheme>:<host-port>:<container-port>...": "http:80:5000",
    "<host-port>|<map>...": "80",
}


def commands() -> dict[str, list[str]]:
    """Commands that take an existing app first: the words that follow it, optional ones left out."""
    found = {}
    for namespace in _modules.namespaces():
        for info in _modules.load(namespace).namespace.registered_commands:
            name = namespace if info.name == namespace else f"{namespace}:{info.name}"
            words = _modules.operands(name)
            if (
                words
                and re.fullmatch(r"[\[(]?<(old-)?app>(\|--global)?[\])]?", words[0])
                and name not in CREATING
            ):
                needed = [word for word in words[1:] if "[" not in word and "]" not in word]
                found[name] = [words[0], *(WORDS.get(word, "x") for word in needed)]
    return found


COMMANDS = commands()
NEEDED = [name for name, words in COMMANDS.items() if not words[0].startswith("[") and name not in OPTIONAL]


def last_line(text: str) -> str:
    return text.splitlines()[-1] if text else ""


def test_the_table_holds_the_commands_there_are() -> None:
    """So that a help text in another form does not empty the tests below."""
    for name in (
        "apps:clone",
        "apps:report",
        "config",
        "config:set",
        "git:set",
        "ps:scale",
        "urls",
        "proxy:set",
    ):
        assert name in COMMANDS
    assert COMMANDS["config:set"] == ["(<app>|--global)", "KEY=value"]


@pytest.mark.parametrize("name", COMMANDS)
def test_an_app_that_does_not_exist_is_status_20_and_the_last_word(dokku: Dokku, name: str) -> None:
    """NAME-2"""
    answer = dokku(name, "nope", *COMMANDS[name][1:])
    assert (last_line(answer.err), answer.code) == (" !     App nope does not exist", 20)
    assert not (dokku.root / "nope").exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_words_beyond_a_commands_own_are_ignored(dokku: Dokku, name: str) -> None:
    answer = dokku(name, "nope", *COMMANDS[name][1:], "and", "some", "more")
    assert (last_line(answer.err), answer.code) == (" !     App nope does not exist", 20)


@pytest.mark.parametrize("bad", BAD_NAMES)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_name_that_is_none_is_status_1(dokku: Dokku, name: str, bad: str) -> None:
    """NAME-2"""
    answer = dokku(name, bad, *COMMANDS[name][1:])
    assert (last_line(answer.err), answer.code) == (BAD_NAMES[bad], 1)


@pytest.mark.parametrize("name", NEEDED)
def test_no_name_at_all_is_asked_for(dokku: Dokku, name: str) -> None:
    answer = dokku(name)
    assert (last_line(answer.err), answer.code) == (NO_APP, 1)


@pytest.mark.parametrize("name", NEEDED)
def test_an_empty_name_is_no_name(dokku: Dokku, name: str) -> None:
    answer = dokku(name, "", *COMMANDS[name][1:])
    assert (last_line(answer.err), answer.code) == (NO_APP, 1)


def test_every_command_that_is_not_hidden_is_in_the_help(dokku: Dokku) -> None:
    shown = {line.split()[0] for line in dokku("help", "--all").out.splitlines() if line.startswith("    ")}
    assert [name for name in COMMANDS if name not in shown and not _modules.find(name).hidden] == []

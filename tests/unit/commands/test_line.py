"""The command line as it comes over ssh: whatever it says, it is words or a refusal."""

import shlex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from commands import Root, _line, _modules
from lib.base.errors import DokkuError

WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\n\r\"'\\ \t\x0b\x0c"), min_size=1
)
COMMANDS = st.sampled_from(
    ["git:auth", "git:sync", "config:set", "run", "git-receive-pack", "apps:list", "--app", ""]
)


@given(COMMANDS, st.text(max_size=200))
@example("git:auth", "'")
@example("--app", "")
def test_any_command_line_is_understood_or_refused(command, rest):
    """SSH-3"""
    try:
        words = _line.split(f"{command} {rest}")
    except DokkuError:
        return
    line = _line.understood(words)
    assert line.command
    assert all(isinstance(word, str) for word in line.words)
    assert all("\0" not in name and "=" not in name for name in line.variables)


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_plain_words_arrive_as_they_were_sent(words):
    assert _line.split(" ".join(["config:set", *words])) == ["config:set", *words]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0'\n")), max_size=6))
def test_quoted_words_arrive_whole_and_nothing_in_them_is_expanded(words):
    """SSH-3"""
    quoted = [f"'{word}'" for word in words]
    assert _line.split(" ".join(["git:sync", *quoted])) == ["git:sync", *words]


def names() -> list[str]:
    found = []
    for namespace in _modules.namespaces():
        for info in _modules.load(namespace).namespace.registered_commands:
            found.append(namespace if info.name == namespace else f"{namespace}:{info.name}")
    return found


@pytest.mark.parametrize("name", names())
def test_the_parser_takes_any_number_of_words_for_every_command(name: str) -> None:
    Root().get_command(None, name).make_context(name, ["a", "b", "c", "d", "e", "f", "g"])


PASSING_FLAGS_ON = [name for name in names() if (_modules.find(name).context_settings or {})]


@pytest.mark.parametrize("name", sorted({*names()} - {*PASSING_FLAGS_ON}))
def test_an_unknown_flag_is_refused_by_every_command_that_has_flags_of_its_own(name: str) -> None:
    with pytest.raises(Exception, match=r"(?i)no such option: --no-such"):
        Root().get_command(None, name).make_context(name, ["--no-such", "a"])


@pytest.mark.parametrize(
    ("sent", "run"),
    [
        ("--app blog apps:list", "apps:list"),
        ("--app blog version", "version"),
        ("--app blog network:list", "network:list"),
        ("--app blog network:create back", "network:create back"),
        ("--app blog git:public-key", "git:public-key"),
        ("--app blog git:allow-host example.com", "git:allow-host example.com"),
        ("--app blog apps:create", "apps:create blog"),
        ("--app blog apps:create blog", "apps:create blog"),
        ("--app blog apps:create other", "apps:create blog other"),
        ("--app blog ps:start blog", "ps:start blog"),
        ("--app blog ps:restart blog", "ps:restart blog"),
        ("--app blog ps:restart --parallel 2 blog", "ps:restart blog --parallel 2 blog"),
        ("--app blog ps:restart web", "ps:restart blog web"),
        ("--app blog ps:scale blog web=2", "ps:scale blog web=2"),
        ("--app blog config:set blog A=b", "config:set blog A=b"),
        ("--app blog config:set --no-restart blog A=b", "config:set blog --no-restart A=b"),
        ("--app blog config:get blog A", "config:get blog A"),
        ("--app blog config:get blog", "config:get blog blog"),
        ("--app blog config:set --global A=b", "config:set --global A=b"),
        ("--app blog domains:add blog", "domains:add blog blog"),
        ("--app blog domains:add blog a.test", "domains:add blog a.test"),
        ("--app blog apps:rename blog new", "apps:rename blog new"),
        ("--app blog apps:clone new", "apps:clone blog new"),
        ("--app blog apps:report --app-dir", "apps:report blog --app-dir"),
        ("--app blog certs:add blog", "certs:add blog"),
        ("--app blog run blog", "run blog blog"),
        ("--app blog run:detached env", "run:detached blog env"),
        ("--app blog enter web", "enter blog web"),
        ("--app blog docker-options:add deploy --global", "docker-options:add blog deploy --global"),
        ("--app blog git-upload-pack 'blog'", "git-upload-pack blog"),
    ],
)
def test_the_app_of_a_line_is_the_first_word_of_commands_that_take_one(sent: str, run: str) -> None:
    """As the official client sends it: --app APP with every command."""
    assert _line.understood(shlex.split(sent)).words == run.split()

"""The command line as it comes over ssh: whatever it says, it is words or a refusal."""

from hypothesis import example, given
from hypothesis import strategies as st

from commands import _line
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

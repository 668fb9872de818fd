import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base import quoting
from lib.base.errors import DokkuError


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("config:set a 'B=x y'", ["config:set", "a", "B=x y"]),
        ('config:set a "B=it\'s"', ["config:set", "a", "B=it's"]),
        (r"config:set a B=\ x", ["config:set", "a", "B= x"]),
        ("config:set a B=''", ["config:set", "a", "B="]),
        ("a '' b", ["a", "", "b"]),
        ("run a echo -n -e -E", ["run", "a", "echo", "-n", "-e", "-E"]),
        ("a\tb\n c", ["a", "b", "c"]),
        ("a 'b\nc'", ["a", "b\nc"]),
        (r'"a\"b\\c\d"', [r'a"b\c\d']),
        (r"'a\'", ["a\\"]),
        ("a\\", ["a\\"]),
        ("a$(id)`id`*?[x]~;&|>", ["a$(id)`id`*?[x]~;&|>"]),
        ("  ", []),
        ("\x1c\x85", ["\x1c\x85"]),
        ("#a # b", ["#a", "#", "b"]),
    ],
)
def test_quotes_and_backslashes_count_and_nothing_else(text: str, words: list[str]) -> None:
    """SSH-3"""
    assert quoting.split(text) == words


@pytest.mark.parametrize("text", ["'", '"', "a 'b", 'a "b', "a'b\\'c'", '"\\"', "'a' '"])
def test_a_quote_without_its_end_is_refused(text: str) -> None:
    with pytest.raises(DokkuError, match="Unable to parse command: unmatched quote"):
        quoting.split(text)


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\0"))))
def test_words_quoted_for_a_shell_come_back(words: list[str]) -> None:
    assert quoting.split(shlex.join(words)) == words


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\0"))))
def test_words_with_every_character_escaped_come_back(words: list[str]) -> None:
    text = " ".join("".join(f"\\{character}" for character in word) or "''" for word in words)
    assert quoting.split(text) == words


@given(st.text())
def test_any_text_is_words_or_refused(text: str) -> None:
    """SSH-3"""
    try:
        words = quoting.split(text)
    except DokkuError:
        assert re.search("['\"]", text)
    else:
        assert sum(map(len, words)) <= len(text)


def test_long_lines_take_no_time() -> None:
    assert quoting.split("a\\ " * 100_000) == [("a " * 100_000)]
    assert len(quoting.split("word " * 100_000)) == 100_000

"""Real grep: extended regular expressions within bounds, compared with bash, which dokku v0.24.0 used."""

import subprocess

import hypothesis
import hypothesis.strategies as st
import pytest

from lib.tools import grep
from tests.conftest import needs

pytestmark = needs("grep", "prlimit", "bash")


@pytest.mark.parametrize(
    ("pattern", "text", "is_match"),
    [
        ("w.*d", "hello world", True),
        ("^hello", "hello world", True),
        ("one.two", "one\ntwo", True),
        ("(a|b){2}$", "xxab", True),
        ("[[:digit:]]+ ok", "12 ok", True),
        ("gr.ß", "grüß", True),
        ("x+", "hello", False),
        ("-e", "x -e", True),
    ],
)
def test_a_text_matches_as_bash_says(pattern, text, is_match):
    assert grep.matches(pattern, text.encode(), 5) is is_match


def test_what_is_no_expression_is_unusable():
    with pytest.raises(grep.Unusable, match="no extended regular expression"):
        grep.matches("a(", b"a", 5)


def test_an_expression_is_given_up_when_it_needs_too_much():
    """RUN-10"""
    with pytest.raises(grep.Unusable):
        grep.matches("((((a{1,255}){1,255}){1,255}){1,255})x", b"a" * 3000, 2)


def _bash(pattern: str, text: str) -> int:
    return subprocess.run(
        ["bash", "-c", "[[ $2 =~ $1 ]]", "bash", pattern, text], env={"LC_ALL": "C.UTF-8"}, check=False
    ).returncode


@hypothesis.settings(max_examples=40, deadline=None)
@hypothesis.given(
    st.lists(st.sampled_from(["a", "b", "a*", "b+", "a?", ".", "(a|b)", "[^a]", "a{2}", " "]), min_size=1),
    st.text("ab \n", max_size=6),
)
def test_an_expression_means_what_it_means_in_bash(parts, text):
    pattern = "".join(parts)
    assert grep.matches(pattern, text.encode(), 5) is (_bash(pattern, text) == 0)

"""Words of a Dockerfile: flags without quotes, words with them, and variables in a word."""

import pytest

from lib.build import dockerfile_words


@pytest.mark.parametrize(
    ("text", "flags", "rest"),
    [
        ("a b", [], "a b"),
        ("--a=1 --b=2 c --d=3", ["--a=1", "--b=2"], "c --d=3"),
        ("--a='x y' z", ["--a=x y"], "z"),
        ('--"a"=\\b c', ["--a=b"], "c"),
        ("-- --a=1", [], " --a=1"),
        ("--a", ["--a"], ""),
    ],
)
def test_flags_stand_at_the_start_and_lose_their_quotes(text, flags, rest):
    assert dockerfile_words.flags(text) == (flags, rest)


def test_a_flag_may_have_its_value_after_a_blank():
    assert dockerfile_words.flags("--from x /a /b", loose=True) == (["--from=x"], "/a /b")
    assert dockerfile_words.flags("--from=x /a /b", loose=True) == (["--from=x"], "/a /b")


def test_quotes_and_escapes_keep_a_word_together():
    text = "A=1 B=\"x y\" C='a\\' D=z\\ z"
    assert dockerfile_words.split(text, "\\") == ["A=1", 'B="x y"', "C='a\\'", "D=z\\ z"]


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("a$X-b", "a1-b"),
        ("${X}$X", "11"),
        ("$N${N}", ""),
        ("'$X'", "$X"),
        ('"$X\\$"', "1$"),
        ("\\$X", "$X"),
        ("${N:-d}${E:-d}${E-d}${X:-d}", "dd1"),
        ("${N:+d}${E:+d}${E+d}${X+d}", "dd"),
        ("${N:-'a}'$X}", "a}1"),
    ],
)
def test_variables_are_filled_in(word, wanted):
    assert dockerfile_words.expanded(word, {"X": "1", "E": ""}, "\\") == wanted


@pytest.mark.parametrize(
    "word", ["${X%a}", "${X:x}", "${}", "${X", "$", "$?", "$1", "'a", '"a', "${X:-", "${N?}"]
)
def test_what_only_some_releases_fill_in_or_none_is_refused(word):
    with pytest.raises(ValueError, match=r"."):
        dockerfile_words.expanded(word, {"X": "1"}, "\\")

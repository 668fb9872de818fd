"""JSON with comments: what is read, on which line, and what is refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.app import json_text
from lib.base.errors import DokkuError

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def read(text):
    return json_text.plain(json_text.parse(text))


@given(VALUES, st.booleans(), st.sampled_from([None, 2]))
@settings(max_examples=150)
def test_what_json_writes_is_read_back(value, ascii_only, indent):
    assert read(json.dumps(value, ensure_ascii=ascii_only, indent=indent)) == value


def outcome(text):
    """What a text holds, or why it is refused."""
    try:
        return read(text)
    except DokkuError as error:
        return error.text


@given(st.text(st.sampled_from('{}[]:,"/* \n\\eE-+.01trufalsn'), max_size=24))
@settings(max_examples=300)
def test_a_text_is_read_as_json_has_it_or_refused_in_one_line(text):
    found = outcome(text)
    if isinstance(found, str) and found.startswith("line "):
        assert "\n" not in found
        assert not is_json(text)
    elif is_json(text):
        assert found == json.loads(text)


def is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def test_comments_and_last_commas_are_passed_over():
    text = (
        '\ufeff// one\n{ /* two\n three */ "a": [1, 2,], // four\n "b": "// no comment /* none */", }\n// end'
    )
    assert read(text) == {"a": [1, 2], "b": "// no comment /* none */"}


def test_every_value_has_its_line():
    node = json_text.parse('{\n "a": [\n  1,\n  /*\n\n  */ "x",\n\n\n  2 // end\n, 3]\n}')
    assert node.value["a"].line == 2
    assert [element.line for element in node.value["a"].value] == [3, 6, 9, 10]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", "line 1: the end of the file where a value was expected"),
        ('{"a": 1', "line 1: the end of the file where ',' or '}' was expected"),
        ('{\n"a" 1}', "line 2: '1' where ':' was expected"),
        ("{a: 1}", "line 1: 'a: 1}' where a value was expected"),
        ("[,]", "line 1: ',' where a value was expected"),
        ("[1]\n]", "line 2: ']' where the end was expected"),
        ('"a\nb"', "line 1: '\"a' where a value was expected"),
        ("01", "line 1: '01' where a value was expected"),
        ("/* open", "line 1: '/* open' where a value was expected"),
        ("[" * 80, "line 1: more than 64 levels"),
        ("9" * 5000, "line 1: a number of 5000 digits"),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text, refusal):
    with pytest.raises(DokkuError) as caught:
        read(text)
    assert caught.value.text == refusal


def test_half_a_character_is_no_text():
    assert read('"\\ud800x"') == "\ufffdx"

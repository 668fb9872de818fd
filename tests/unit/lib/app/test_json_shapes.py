"""Shapes of JSON: what passes, and what a refusal says."""

import pytest

from lib.app import json_shapes, json_text
from lib.base.errors import DokkuError

SHAPE = {
    "name": str,
    "count": int,
    "on": bool,
    "kind": ("a", "b"),
    "list": [{"url!": str}],
    "by": json_shapes.AnyKey(json_shapes.Either(str, {"v": str}), str.islower, "small name"),
    "any": dict,
    "loose": json_shapes.Lenient(int),
    "kept": json_shapes.Lenient(("a",), is_kept=True),
    "texts": json_shapes.AnyKey(json_shapes.Lenient(json_shapes.Text()), str.islower, "small name"),
    "whatever": json_shapes.ANY,
    "even": json_shapes.Rule(int, lambda number: number % 2 == 0, "even"),
    "both": [json_shapes.Rule({"a": int, "b": int}, lambda pair: len(pair) < 2, "one of a, b")],
}


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "{}",
        '{"name": null, "count": 0, "on": false, "kind": "b", "other": [1, {"x": 2.5}]}',
        '{"list": [], "by": {}, "any": {"x": 1}}',
        '{"list": [{"url": "u"}, null], "by": {"a": "x", "b": {"v": "y"}, "c": null}}',
        '{"even": null, "both": [null, {"a": 1}, {"b": 1}]}',
        '{"even": 2, "both": []}',
    ],
)
def test_what_has_the_shape_passes(text):
    json_shapes.fitted(json_text.parse(text), SHAPE, [])


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("[]", "line 1: it must be an object"),
        ('{\n"name": 1}', "line 2: name must be a text"),
        ('{"count": true}', "line 1: count must be a whole number"),
        ('{"count": 1.5}', "line 1: count must be a whole number"),
        ('{"count": -1}', "line 1: count must be 0 or more"),
        ('{"on": "true"}', "line 1: on must be true or false"),
        ('{"kind": "c"}', "line 1: kind must be one of a, b"),
        ('{"kind": []}', "line 1: kind must be one of a, b"),
        ('{"list": {"x": 1}}', "line 1: list must be a list"),
        ('{"list": [\n{"url": "u"},\n{"url": ""}]}', "line 3: list[1].url is missing"),
        ('{"by": {"a": 1}}', "line 1: by.a must be a text"),
        ('{"by": {"a": {"v": []}}}', "line 1: by.a.v must be a text"),
        ('{"by": {"A\\n": "x"}}', "line 1: by.A\\x0a is no small name"),
        ('{"any": "x"}', "line 1: any must be an object"),
        ('{"name": "a\\u0000"}', "line 1: name must be a text without NUL"),
        ('{\n"even": 3}', "line 2: even must be even"),
        ('{"even": "x"}', "line 1: even must be a whole number"),
        ('{"both": [{"a": 1},\n{"a": 1,\n"b": 2}]}', "line 2: both[1] must be one of a, b"),
    ],
)
def test_what_has_another_shape_is_refused_by_key_and_line(text, refusal):
    with pytest.raises(DokkuError) as caught:
        json_shapes.fitted(json_text.parse(text), SHAPE, [])
    assert caught.value.text == refusal


@pytest.mark.parametrize(
    ("text", "value", "notes"),
    [
        ('{"loose":\n"x"}', {"loose": None}, ["line 2: loose must be a whole number; ignored"]),
        ('{"kept": "b"}', {"kept": "b"}, ["line 1: kept must be one of a; ignored"]),
        ('{"texts": {"a": 3, "b": true}}', {"texts": {"a": "3", "b": "true"}}, 2),
        ('{"texts": {"a": 1.5, "b": []}}', {"texts": {"a": "1.5", "b": None}}, 2),
        (
            '{"texts": {"A": "x"}}',
            {"texts": {}},
            ["line 1: texts.A is no small name; ignored"],
        ),
        ('{"other": [1]}', {"other": [1]}, ["line 1: other is not a known key; ignored"]),
        ('{"list": {}}', {"list": None}, ["line 1: list is empty; ignored"]),
        ('{"any": []}', {"any": None}, ["line 1: any is empty; ignored"]),
        ('{"list": null}', {"list": None}, ["line 1: list is null; ignored"]),
        ('{"whatever": [{"x": 1}]}', {"whatever": [{"x": 1}]}, []),
    ],
)
def test_what_is_ignored_is_noted_by_line_and_key(text, value, notes):
    noted = []
    assert json_text.plain(json_shapes.fitted(json_text.parse(text), SHAPE, noted)) == value
    assert noted == notes or len(noted) == notes


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"NAME": "x"}', {"name": "x"}),
        ('{"lo\u017fe": 1, "Loo\u017fe": 2}', {"loſe": 1, "loose": 2}),
        ('{"List": [{"URL": "u"}]}', {"list": [{"url": "u"}]}),
        ('{"name": "x", "Name": "y"}', {"name": "y"}),
        ('{"name": "x", "Name": null}', {"name": "x"}),
    ],
)
def test_a_key_is_known_in_any_case_as_go_reads_it(text, value):
    assert json_text.plain(json_shapes.fitted(json_text.parse(text), SHAPE, [])) == value

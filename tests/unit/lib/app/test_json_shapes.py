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
    json_shapes.verify(json_text.parse(text), SHAPE)


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
        ('{"list": {}}', "line 1: list must be a list"),
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
        json_shapes.verify(json_text.parse(text), SHAPE)
    assert caught.value.text == refusal

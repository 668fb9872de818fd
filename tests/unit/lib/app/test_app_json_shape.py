"""The shape of app.json: what a new file has to have that an old one need not."""

import pytest

from lib.app import app_json_shape, json_shapes, json_text
from lib.base.errors import DokkuError

WITHOUT_KIND = json_text.parse('{"healthchecks": {"web": [{"name": "x"}]}}')


def test_a_healthcheck_of_no_kind_is_refused_in_a_new_file_only():
    json_shapes.fitted(WITHOUT_KIND, app_json_shape.SHAPE, [])
    with pytest.raises(DokkuError, match="must be a check with one of command, listening, path, uptime"):
        json_shapes.fitted(WITHOUT_KIND, app_json_shape.DEPLOYABLE, [])


def test_a_healthcheck_of_each_kind_is_one():
    entries = '{"path": "/"}, {"command": ["x"]}, {"listening": true}, {"uptime": 0}, {"content": "x"}'
    notes: list[str] = []
    json_shapes.fitted(
        json_text.parse(f'{{"healthchecks": {{"web": [{entries}]}}}}'), app_json_shape.DEPLOYABLE, notes
    )
    assert notes == []

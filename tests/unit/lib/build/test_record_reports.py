"""What builds:list, builds:report and builds:set say and refuse."""

import json

import pytest

from lib.base import log, properties
from lib.base.errors import DokkuError
from lib.build import record_reports, records

APP, REVISION = "blog", "0123456789abcdef0123456789abcdef01234567"
RECORD = records.Record(7, REVISION, "alice", 1, "2", started=1_700_000_000)


@pytest.fixture(autouse=True)
def said():
    """What the code under test writes: pairs of stream and bytes."""
    with log.collected() as lines:
        yield lines


def text(said) -> str:
    return b"".join(data for _, data in said).decode()


def build(does=lambda: None) -> None:
    with records.kept(APP, REVISION):
        does()


def fails(error):
    def fail():
        raise error

    return fail


@pytest.mark.parametrize(
    ("record", "duration", "ended"),
    [
        (RECORD._replace(ended=1_700_000_065, outcome="succeeded"), 65, "2023-11-14T22:14:25Z"),
        (RECORD._replace(ended=1_699_999_999, outcome="failed"), 0, "2023-11-14T22:13:19Z"),
        (RECORD._replace(outcome="killed"), None, ""),
    ],
)
def test_json_says_how_long_a_build_took_if_anybody_saw_its_end(record, duration, ended):
    found = record_reports.as_json(record)
    assert (found["duration"], found["ended"]) == (duration, ended)
    assert found["started"] == "2023-11-14T22:13:20Z"


def test_the_report_knows_the_last_build():
    assert [row.value for row in record_reports.rows(APP)][-2:] == ["", ""]
    build()
    assert [row.value for row in record_reports.rows(APP)] == ["20", "20", "", "1", "succeeded"]
    record_reports.set_(properties.GLOBAL, "keep", "5")
    record_reports.set_(APP, "keep", "3")
    assert [row.value for row in record_reports.rows(APP)][:3] == ["3", "5", "3"]
    assert [row.value for row in record_reports.global_rows()] == ["5"]
    record_reports.set_(APP, "keep", "")
    assert [row.value for row in record_reports.rows(APP)][:3] == ["5", "5", ""]


def test_without_builds_the_list_says_so(said):
    record_reports.list_(APP, "stdout")
    assert text(said) == "=====> blog builds\n !     App blog has not been built yet\n"
    said.clear()
    record_reports.list_(APP, "json")
    assert text(said) == "[]\n"


@pytest.mark.parametrize("value", ["0", "-3", "x", "10001", "1e3"])
def test_a_bad_number_of_records_is_refused(value):
    with pytest.raises(DokkuError, match="number from 1 to 10000"):
        record_reports.set_(APP, "keep", value)
    properties.write("builds", APP, "keep", value)
    assert records.keep(APP) == records.KEEP


@pytest.mark.parametrize("key", ["", "size"])
def test_an_unknown_property_is_refused(key):
    with pytest.raises(DokkuError, match="property specified"):
        record_reports.set_(APP, key, "1")


def test_the_list_is_a_table_or_json(said):
    build()
    with pytest.raises(DokkuError):
        build(does=fails(DokkuError("no")))
    record_reports.list_(APP, "json")
    found = json.loads(text(said).splitlines()[-1])
    assert [(one["number"], one["outcome"], one["revision"]) for one in found] == [
        (1, "succeeded", REVISION),
        (2, "failed", REVISION),
    ]
    said.clear()
    record_reports.list_(APP, "stdout")
    title, headings, *rows = text(said).splitlines()
    assert title == "=====> blog builds"
    assert headings.split() == ["NUMBER", "REVISION", "BUILDER", "USER", "STARTED", "TIME", "OUTCOME"]
    assert [row.split()[:2] for row in rows] == [["1", REVISION[:8]], ["2", REVISION[:8]]]
    with pytest.raises(DokkuError, match="Invalid output format"):
        record_reports.list_(APP, "yaml")

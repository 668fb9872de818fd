"""releases:list, releases:info and releases:set: what they show, and that no value is among it."""

import json
import os

import pytest

from lib.base import log, properties, settings
from lib.base.errors import DokkuError
from lib.runtime import release_records, release_reports
from lib.runtime.release_records import Release

APP = "blog"


@pytest.fixture(autouse=True)
def releases():
    """Three releases, of which the second serves; on real files, as locks want them."""
    os.makedirs(settings.app_dir(APP))
    known = {"config": {"KEY": "hunter2"}, "names": ["KEY"], "image": "sha256:" + "0123456789abcdef" * 4}
    first = Release(
        1, "alice", 1, "0", 60, "git-push", "", "c" * 40, 4, ended=72, outcome="succeeded", **known
    )
    release_records.write(APP, first)
    back = first._replace(number=2, source="rollback", metadata="v1", build=0)
    release_records.write(APP, back)
    release_records.write(APP, Release(3, "bob", 1, "0", 60, "config:set", outcome="failed"))


def shown(does, *words):
    with log.collected() as said:
        does(APP, *words)
    return b"".join(data for _, data in said).decode()


def test_the_list_marks_the_one_that_serves():
    lines = shown(release_reports.list_, "stdout").splitlines()
    assert lines[0] == "=====> blog releases"
    assert lines[1].split() == [
        *("RELEASE", "SERVES", "REVISION", "IMAGE", "SOURCE", "USER", "STARTED", "TIME", "OUTCOME"),
    ]
    assert lines[2].split()[:5] == ["v1", "-", "cccccccc", "0123456789ab", "git-push"]
    assert lines[3].split()[:2] == ["v2", "*"]
    assert "rollback v1" in lines[3]
    assert lines[2].split()[-3:] == ["1970-01-01T00:01:00Z", "12s", "succeeded"]
    assert lines[4].split()[-3:] == ["1970-01-01T00:01:00Z", "-", "failed"]


def test_programs_get_all_of_it_and_no_values():
    text = shown(release_reports.list_, "json")
    found = json.loads(text)
    assert [(one["number"], one["serves"]) for one in found] == [(1, False), (2, True), (3, False)]
    assert (found[0]["config"], found[0]["duration"], found[0]["build"]) == (["KEY"], 12, 4)
    assert (found[2]["duration"], found[2]["ended"]) == (None, "")
    assert "hunter2" not in text


def test_information_is_on_the_one_that_serves_or_the_one_named():
    text = shown(release_reports.info, "", "stdout")
    assert text.startswith("=====> blog v2 release information\n")
    assert "       Serves:                 true\n" in text
    assert "       Config:                 KEY\n" in text
    assert "hunter2" not in text
    assert json.loads(shown(release_reports.info, "v1", "json"))["number"] == 1


def test_an_app_without_releases_has_an_empty_list():
    release_records.forget(APP)
    assert shown(release_reports.list_, "stdout").endswith(" !     App blog has no releases yet\n")
    assert shown(release_reports.list_, "json") == "[]\n"


def test_how_many_are_kept_can_be_set_and_unset():
    shown(release_reports.set_, "keep", "3")
    values = {row.flag: row.value for row in release_reports.rows(APP)}
    assert values["--releases-computed-keep"] == "3"
    assert (values["--releases-serving"], values["--releases-last"]) == ("v2", "v3")
    shown(release_reports.set_, "keep", "")
    assert not properties.is_set("releases", APP, "keep")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("", ""), "No property specified"),
        (("size", "1"), "Invalid property specified, valid properties include: keep"),
        (("keep", "0"), "Invalid value for keep, it must be a number from 1 to 1000"),
        (("keep", "many"), "Invalid value for keep, it must be a number from 1 to 1000"),
    ],
)
def test_what_can_not_be_set_is_refused(words, text):
    with pytest.raises(DokkuError) as refused:
        release_reports.set_(APP, *words)
    assert refused.value.text == text

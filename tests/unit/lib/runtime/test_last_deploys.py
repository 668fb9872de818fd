"""The last try to deploy an app, be it a release or a build that failed."""

import json
import os

import pytest

from lib.base import files, settings
from lib.build import records
from lib.runtime import last_deploys, release_records
from lib.runtime.last_deploys import Deploy
from lib.runtime.release_records import Release

APP = "blog"


@pytest.fixture(autouse=True)
def app():
    """An app's directory; on real files, as locks want them."""
    os.makedirs(settings.app_dir(APP))


def released(number, started, outcome=release_records.SUCCEEDED, ended=0):
    release_records.write(APP, Release(number, "alice", 1, "0", started, outcome=outcome, ended=ended))


def built(number, started, outcome, ended=0):
    record = records.Record(number, "abc", "bob", 1, "0", started, "null", ended, outcome)
    files.replace(os.path.join(settings.data("builds", APP), f"{number}.json"), json.dumps(record._asdict()))


def test_an_app_that_was_never_deployed_has_none():
    assert last_deploys.of(APP) is None


def test_the_newest_release_is_the_last_deploy_with_its_end():
    released(9, 10, ended=12)
    released(10, 20, ended=25)
    assert last_deploys.of(APP) == Deploy("v10", "succeeded", "alice", 25)


def test_a_build_that_became_a_release_is_told_as_that():
    built(1, 19, records.SUCCEEDED, 21)
    released(1, 20, ended=25)
    assert last_deploys.of(APP) == Deploy("v1", "succeeded", "alice", 25)


@pytest.mark.parametrize("outcome", [records.FAILED, records.CANCELLED])
def test_a_later_build_that_did_not_become_one_is_the_last_deploy(outcome):
    released(1, 20, ended=25)
    built(2, 30, outcome, 33)
    assert last_deploys.of(APP) == Deploy("", f"build {outcome}", "bob", 33)


def test_a_failed_build_before_the_last_release_is_history():
    built(1, 10, records.FAILED, 11)
    released(1, 20, release_records.FAILED, ended=25)
    assert last_deploys.of(APP) == Deploy("v1", "failed", "alice", 25)


def test_a_broken_record_hides_no_older_one():
    released(1, 20, ended=25)
    files.replace(os.path.join(settings.data("releases", APP), "v2.json"), "{")
    assert last_deploys.of(APP) == Deploy("v1", "succeeded", "alice", 25)

"""Records of releases: numbers, which one serves, what is kept, and what is left of the others."""

import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base import files, procfs, properties, settings
from lib.base.errors import DokkuError
from lib.runtime import containers, release_records
from lib.runtime.containers import Container
from lib.runtime.release_records import Release

APP = "blog"
A, B = "a" * 64, "b" * 64


@pytest.fixture(autouse=True)
def app():
    """An app's directory; on real files, as locks want them."""
    os.makedirs(settings.app_dir(APP))


def release(number, **more):
    known = {"outcome": release_records.SUCCEEDED, "image": f"sha256:{number}", "ended": 9, **more}
    return Release(number, "alice", 1, "0", 7, **known)


def write(*wanted):
    for one in wanted:
        release_records.write(APP, one)


def serves(*ids):
    containers.adopt(APP, [Container(APP, "web", n, id_) for n, id_ in enumerate(ids, 1)], [])
    containers.settle(APP)


def numbers(found):
    return [one.number for one in found]


def test_what_is_written_is_read_back_and_is_for_us_alone():
    one = release(3, config={"KEY": "v\udcff"}, names=["KEY"], containers=[A], app_json="{}", is_frozen=True)
    write(one)
    assert release_records.all_(APP) == [one]
    place = settings.data("releases", APP)
    assert stat.S_IMODE(os.stat(place).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(f"{place}/v3.json").st_mode) == 0o600


@given(text=st.text(max_size=60))
def test_a_record_that_somebody_broke_is_none(text):
    files.replace(os.path.join(settings.data("releases", APP), "v1.json"), text)
    assert release_records.all_(APP) == []
    assert release_records.numbers(APP) == [1]


def test_the_release_that_serves_is_known_by_its_containers():
    write(release(1, containers=[A]), release(2, containers=[B]), release(3, outcome="failed", containers=[]))
    serves(A)
    assert release_records.serving(APP).number == 1
    serves(B)
    assert release_records.serving(APP).number == 2


def test_of_an_app_without_containers_the_last_that_worked_counts():
    write(release(1), release(2), release(3, outcome="failed"))
    assert release_records.serving(APP).number == 2


def test_containers_older_than_all_records_are_of_no_release():
    write(release(1, containers=[B]))
    serves(A)
    assert release_records.serving(APP) is None


def test_a_release_whose_process_is_gone_was_killed_unless_it_serves():
    write(release(1, outcome="deploying", containers=[A], config={"A": "1"}, names=["A"]))
    assert release_records.all_(APP)[0].outcome == "killed"
    serves(A)
    assert release_records.all_(APP)[0].outcome == "incomplete"
    release_records.settle(APP)
    assert release_records.read(APP, 1).outcome == "incomplete"
    assert release_records.read(APP, 1).config == {"A": "1"}


def test_what_was_killed_keeps_no_values():
    write(release(1, outcome="deploying", config={"A": "1"}, names=["A"], app_json="{}"))
    release_records.settle(APP)
    settled = release_records.read(APP, 1)
    assert (settled.outcome, settled.image, settled.config, settled.names) == ("killed", "", {}, ["A"])
    assert settled.app_json is None


def test_one_that_is_under_way_is_left_alone():
    pid = os.getpid()
    one = Release(1, "alice", pid, procfs.started(pid), 7)
    write(one)
    release_records.settle(APP)
    assert release_records.all_(APP)[0].outcome == "deploying"
    assert release_records.is_alive(release_records.all_(APP)[0])


@pytest.mark.parametrize("word", ["v2", "2"])
def test_a_release_is_found_by_its_number(word):
    write(release(1), release(2))
    assert release_records.find(APP, word).number == 2


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("", "App blog has no releases yet"),
        ("v7", "App blog has no release v7"),
        ("0", "Invalid release: 0"),
        ("v-1", "Invalid release: v-1"),
        ("latest\n", "Invalid release: latest\\x0a"),
    ],
)
def test_what_names_no_release_is_refused(word, text):
    with pytest.raises(DokkuError) as refused:
        release_records.find(APP, word)
    assert refused.value.text == text


def test_the_last_few_that_worked_are_kept_and_the_one_that_serves():
    properties.write("releases", APP, "keep", "2")
    write(release(1, containers=[A]), *(release(n) for n in (2, 3)), release(4, outcome="failed", image=""))
    assert numbers(release_records.kept(APP)) == [2, 3]
    serves(A)
    assert numbers(release_records.kept(APP)) == [1, 3]


def test_what_is_not_kept_loses_image_and_values_and_long_after_its_record(monkeypatch):
    monkeypatch.setattr(release_records, "HISTORY", 3)
    write(*(release(n, config={"A": str(n)}, names=["A"]) for n in range(1, 6)))
    release_records.drop_old(APP, [1, 5])
    assert release_records.numbers(APP) == [1, 3, 4, 5]
    left = {one.number: (one.image, dict(one.config)) for one in release_records.all_(APP)}
    assert left == {1: ("sha256:1", {"A": "1"}), 3: ("", {}), 4: ("", {}), 5: ("sha256:5", {"A": "5"})}


def test_how_many_are_kept_is_the_apps_own_the_hosts_or_ours():
    assert release_records.keep(APP) == release_records.KEEP
    properties.write("releases", "--global", "keep", "7")
    assert release_records.keep(APP) == 7
    properties.write("releases", APP, "keep", "x")
    assert release_records.keep(APP) == 7
    properties.write("releases", APP, "keep", "3")
    assert release_records.keep(APP) == 3

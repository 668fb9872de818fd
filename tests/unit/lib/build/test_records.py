"""Records of builds: numbers, outcomes, what they hold, and what happens when they can't be written."""

import contextlib
import json
import os
import stat

import pytest

from lib.base import log, procfs, properties, settings
from lib.base.errors import DokkuError, Interrupted
from lib.build import records

APP, REVISION = "blog", "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def said():
    """What the code under test writes: pairs of stream and bytes."""
    with log.collected() as lines:
        yield lines


def text(said) -> str:
    return b"".join(data for _, data in said).decode()


def build(app=APP, does=lambda: None) -> None:
    with records.kept(app, REVISION):
        does()


def directory(app=APP) -> str:
    return settings.data("builds", app)


def output(app=APP, number="") -> str:
    with log.collected() as lines:
        records.show(app, number)
    return text(lines)


def fails(error):
    def fail():
        log.info1("working")
        raise error

    return fail


def test_a_build_that_worked_is_on_record_with_what_was_said(monkeypatch):
    monkeypatch.setenv("SSH_NAME", "alice")

    def work():
        log.info1("Building")
        records.note_builder(APP, "dockerfile")
        log.warn("careful")

    build(does=work)
    (record,) = records.all_(APP)
    assert record[:3] == (1, REVISION, "alice")
    assert (record.builder, record.outcome) == ("dockerfile", records.SUCCEEDED)
    assert record.ended >= record.started > 0
    assert output() == "-----> Building\n !     careful\n"


@pytest.mark.parametrize(
    ("error", "outcome", "last"),
    [
        (
            DokkuError("No such luck", more=("Try again",)),
            "failed",
            " !     No such luck\n !     Try again\n",
        ),
        (DokkuError("", exit_code=7), "failed", ""),
        (Interrupted(15), "cancelled", " !     Cancelled (SIGTERM)\n"),
        (
            PermissionError(13, "Permission denied", "/srv/x"),
            "failed",
            " !     /srv/x: Permission denied\n",
        ),
    ],
)
def test_how_a_build_ended_is_on_record_with_its_last_words(error, outcome, last):
    with pytest.raises(type(error)):
        build(does=fails(error))
    assert records.find(APP).outcome == outcome
    assert output() == f"-----> working\n{last}"


def test_the_last_words_stand_on_a_line_of_their_own_whatever_was_cut_off():
    def cut():
        log.raw(b"and on and on\nan")
        raise Interrupted(15)

    with pytest.raises(Interrupted):
        build(does=cut)
    assert output().endswith("and on and on\nan\n !     Cancelled (SIGTERM)\n")


def test_records_are_for_us_alone():
    build()
    assert stat.S_IMODE(os.stat(directory()).st_mode) == 0o700
    assert {stat.S_IMODE(os.stat(entry.path).st_mode) for entry in os.scandir(directory())} == {0o600}


def test_numbers_go_on_and_the_last_few_stay(said):
    properties.write("builds", properties.GLOBAL, "keep", "5")
    properties.write("builds", APP, "keep", "3")
    for _ in range(5):
        build()
    assert [record.number for record in records.all_(APP)] == [3, 4, 5]
    assert sorted(os.listdir(directory())) == sorted(
        f"{n}.{kind}" for n in (3, 4, 5) for kind in ("json", "log")
    )
    properties.delete("builds", APP, "keep")
    assert records.keep(APP) == 5


def test_one_under_way_is_running_and_can_be_read():
    def work():
        log.plain("half")
        assert [record.outcome for record in records.all_(APP)] == ["running"]

    build(does=work)


def test_one_whose_process_is_gone_was_killed():
    """CRS-2"""
    build()
    path = os.path.join(directory(), "1.json")
    for pid, started in (
        (4194999, "123"),  # above the largest pid there is
        (os.getpid(), str(int(procfs.started(os.getpid())) - 1)),
    ):
        record = records.find(APP)._replace(outcome="running", ended=0, pid=pid, process_start=started)
        with open(path, "w") as file:
            json.dump(record._asdict(), file)
        assert records.find(APP).outcome == records.KILLED
        with pytest.raises(DokkuError, match=f"No build of {APP} is running"):
            records.cancel(APP)


def test_a_build_inside_a_build_of_the_app_is_part_of_it():
    build(does=lambda: build(does=lambda: log.plain("inner")))
    (record,) = records.all_(APP)
    assert (record.outcome, output()) == ("succeeded", "inner\n")


def test_two_apps_at_once_have_a_record_each():
    build(does=lambda: build("shop", lambda: log.plain("inner")))
    assert (output("shop"), output()) == ("inner\n", "inner\n")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"number": 1}', '{"number": 1, "colour": "red"}', "null"]
)
def test_an_unreadable_record_is_no_record_and_its_number_is_not_given_again(content):
    build()
    with open(os.path.join(directory(), "1.json"), "w") as file:
        file.write(content)
    assert records.all_(APP) == []
    build()
    assert [record.number for record in records.all_(APP)] == [2]


def test_what_a_killed_process_left_beside_the_records_goes():
    build()
    with open(os.path.join(directory(), ".1.json.99.abcd"), "w"):
        pass
    build()
    assert not [name for name in os.listdir(directory()) if name.startswith(".")]


@pytest.mark.parametrize(("does", "stays"), [(lambda: None, True), (fails(DokkuError("no")), False)])
def test_what_a_client_sent_that_has_gone_is_dropped_unless_it_was_deployed(
    monkeypatch, tmp_path, does, stays
):
    place = tmp_path / "tmp_objdir-incoming-a1B2c3"
    place.mkdir()
    reading, writing = os.pipe()
    status = os.fstat(writing)
    monkeypatch.setenv("GIT_QUARANTINE_PATH", str(place))
    monkeypatch.setenv("DOKKU_PUSHER_FD", f"{writing}:{status.st_dev}:{status.st_ino}")
    os.close(reading)
    with contextlib.suppress(DokkuError):
        build(does=does)
    os.close(writing)
    assert place.exists() == stays


def test_a_build_goes_on_where_no_record_can_be_made(said, monkeypatch):
    def refuse(*_words, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lib.base.files.replace", refuse)
    build(does=lambda: log.plain("worked"))
    assert text(said) == " !     Unable to keep a record of this build: No space left on device\nworked\n"
    assert records.all_(APP) == []


def test_a_record_that_can_not_be_ended_makes_room_or_goes(monkeypatch):
    refusals = [1]
    real = records.files.replace

    def replace(*words, **more):
        if refusals[0]:
            refusals[0] -= 1
            raise OSError(28, "No space left on device")
        real(*words, **more)

    build(does=lambda: (log.plain("first"), monkeypatch.setattr("lib.base.files.replace", replace)))
    assert records.find(APP).outcome == "succeeded"
    refusals[0] = 2
    monkeypatch.undo()
    build(does=lambda: monkeypatch.setattr("lib.base.files.replace", replace))
    assert [record.number for record in records.all_(APP)] == [1]


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.log", "../../x", "99999999999999999999", "2"])
def test_a_build_that_is_not_there_is_refused(number):
    build()
    with pytest.raises(DokkuError):
        records.show(APP, number)


def test_the_records_of_an_app_that_changes_its_name_follow_it_and_go_with_it():
    build(does=lambda: log.plain("x"))
    records.copy(APP, "shop")
    records.forget(APP)
    assert (records.all_(APP), output("shop")) == ([], "x\n")
    assert {stat.S_IMODE(os.stat(entry.path).st_mode) for entry in os.scandir(directory("shop"))} == {0o600}
    records.copy("nobody", "shop")
    records.forget("nobody")

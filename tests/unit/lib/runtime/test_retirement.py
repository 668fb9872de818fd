"""The list of containers that leave later: written down, worked off, and never the ones that serve."""

import os
import time

import pytest

from lib.base import files, log, settings
from lib.base.errors import DokkuError
from lib.runtime import containers, retirement
from lib.runtime.containers import Container
from lib.runtime.retirement import Entry

APP = "blog"
A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """A clock that a test moves: `now[0]` are seconds since 1970."""
    clock = [1_000_000.5]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    return clock


def path():
    return os.path.join(settings.data("scheduler-docker-local"), "dead-containers")


def test_a_container_is_due_when_its_time_is_over(shell, now):
    """LEAK-4"""
    retirement.register(APP, [A], 60)
    assert files.read(path()) == f"{APP} {A} 1000060\n"
    assert retirement.work_off() == []
    assert shell.ran == []
    now[0] += 60
    assert retirement.work_off() == [APP]
    assert shell.ran == [
        f"docker container update --restart=no {A}",
        f"docker container stop -t 30 {A}",
        f"docker container rm --force {A}",
        f"docker image prune --force --filter=dangling=true --filter=label=com.dokku.app-name={APP}",
    ]
    assert retirement.entries() == []
    assert retirement.work_off() == []


def test_the_patience_is_the_apps_own(shell):
    retirement.register(APP, [A], 0)
    retirement.work_off(APP, stop_timeout=7)
    assert f"docker container stop -t 7 {A}" in shell.ran


def test_only_what_is_due_and_of_the_app_goes(shell, now):
    retirement.register(APP, [A], 0)
    retirement.register(APP, [B], 60)
    retirement.register("other", [C], 0)
    assert retirement.work_off(APP) == [APP]
    assert retirement.entries() == [Entry(APP, B, 1_000_060), Entry("other", C, 1_000_000)]
    assert not any(B in line or C in line for line in shell.ran)


def test_all_apps_are_worked_off_together(shell):
    retirement.register("zebra", [A], 0)
    retirement.register(APP, [B, C], 0)
    assert retirement.work_off() == [APP, "zebra"]
    assert shell.ran[2] == f"docker container rm --force {A} {B} {C}"
    assert [line.rpartition("=")[2] for line in shell.ran[3:]] == [APP, "zebra"]


def test_registering_again_moves_the_deadline(now):
    retirement.register(APP, [A, B], 60)
    now[0] += 10
    retirement.register(APP, [A], 60)
    assert retirement.entries() == [Entry(APP, B, 1_000_060), Entry(APP, A, 1_000_070)]


def test_ids_are_those_of_the_app():
    retirement.register(APP, [A], 0)
    retirement.register("other", [B], 0)
    assert retirement.ids(APP) == [A]


def test_an_app_that_goes_leaves_the_list():
    retirement.register(APP, [A], 0)
    retirement.register("other", [B], 0)
    retirement.forget(APP)
    assert retirement.entries() == [Entry("other", B, 1_000_000)]
    retirement.forget("never-there")


TORN = [
    "",
    "blog",
    f"blog {A}",
    f"blog {A} ",
    f"blog {A} 1 2",
    f"blog {A} x",
    f"blog {A} 1e3",
    "blog -f 0",
    "blog ../x 0",
    f"blog {A[:5]} 0",
    f"../x {B} 0",
    f"-f {B} 0",
    f"blog {A.upper()} 0",
    "\0\0\0 \0 \0",
    "\udcff",
]


@pytest.mark.parametrize("line", TORN, ids=range(len(TORN)))
def test_a_torn_line_stops_nothing_and_goes_with_the_next_write(shell, line):
    """LEAK-4"""
    files.replace(path(), f"{line}\n{APP} {C} 5\n{line}")
    assert retirement.entries() == [Entry(APP, C, 5)]
    assert retirement.work_off() == [APP]
    assert f"docker container rm --force {C}" in shell.ran
    assert not files.read(path()).strip()


def test_what_serves_again_is_never_retired(shell):
    """A deploy that was taken back after its old containers were put on the list."""
    containers.adopt(APP, [Container(APP, "web", 1, A)], [])
    containers.settle(APP)
    retirement.register(APP, [A, B], 0)
    retirement.work_off(APP)
    assert f"docker container rm --force {B}" in shell.ran
    assert not any(A in line for line in shell.ran)
    assert retirement.entries() == []


def test_a_list_of_nothing_but_what_serves_starts_nothing(shell):
    containers.adopt(APP, [Container(APP, "web", 1, A)], [])
    retirement.register(APP, [A], 0)
    retirement.work_off(APP)
    assert shell.ran == []
    assert retirement.entries() == []


def test_the_app_may_be_gone(shell):
    retirement.register("gone", [A], 0)
    assert retirement.work_off() == ["gone"]
    assert retirement.entries() == []


@pytest.mark.parametrize("step", ["update --restart=no", "stop -t 30"])
def test_one_that_cannot_be_stopped_is_killed(shell, step):
    """DKR-9"""
    retirement.register(APP, [A], 0)
    shell.answers(f"docker container {step} …", err="Error response from daemon: stuck\n", status=1)
    retirement.work_off(APP)
    assert f"docker container rm --force {A}" in shell.ran
    assert retirement.entries() == []


def test_one_that_cannot_be_removed_is_tried_again(shell):
    """DKR-9"""
    retirement.register(APP, [A, B], 0)
    shell.answers("docker container rm …", err="Error response from daemon: device busy\n", status=1)
    shell.answers("docker container rm …")
    with pytest.raises(DokkuError, match="device busy"):
        retirement.work_off(APP)
    assert [entry.id for entry in retirement.entries()] == [A, B]
    retirement.work_off(APP)
    assert retirement.entries() == []


def test_one_that_somebody_else_removes_just_now_is_done(shell):
    retirement.register(APP, [A], 0)
    said = f"Error response from daemon: removal of container {A} is already in progress\n"
    shell.answers("docker container rm …", err=said, status=1)
    retirement.work_off(APP)
    assert retirement.entries() == []


def test_a_line_that_is_registered_meanwhile_stays(shell):
    retirement.register(APP, [A], 0)
    shell.answers("docker container rm …", does=lambda _: retirement.register(APP, [B], 60))
    retirement.work_off(APP)
    assert [entry.id for entry in retirement.entries()] == [B]


def test_two_jobs_at_once_leave_the_list_whole(shell):
    """LEAK-4"""
    retirement.register(APP, [A], 0)
    retirement.register("other", [B], 60)
    again = []
    shell.answers("docker container rm …", does=lambda _: again or again.append(1) or retirement.work_off())
    retirement.work_off()
    assert [entry.id for entry in retirement.entries()] == [B]


def test_a_negative_deadline_is_over(shell):
    """ENV-5"""
    files.replace(path(), f"{APP} {A} -5\n")
    assert retirement.work_off() == [APP]

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base import log, retry
from lib.base.errors import DokkuError, Locked, ToolFailed, Transient
from tests.unit.clock import Clock


def test_a_yes_ends_the_waiting() -> None:
    answers = iter([False, False, True])
    assert retry.until(lambda: next(answers), timeout=5, every=0.01)


def test_the_time_ends_the_waiting(clock: Clock) -> None:
    assert not retry.until(lambda: False, timeout=20, every=5)
    assert clock.slept == [5, 5, 5, 5]


def test_a_yes_at_once_does_not_wait(clock: Clock) -> None:
    assert retry.until(lambda: True, timeout=60, every=60)
    assert clock.slept == []


class Flaky:
    """Work that fails so often before it answers. slept: the pauses it was given."""

    def __init__(self, *failures: DokkuError) -> None:
        self.failures = list(failures)
        self.calls = 0
        self.slept: list[float] = []

    def __call__(self) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"

    def tried(self, budget: float = 60, most: int = 4) -> str:
        with log.collected() as self.said:
            return retry.attempts(self, budget, most=most, sleep=self.slept.append)


def test_what_succeeds_at_once_costs_no_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tenacity", None)
    assert Flaky().tried() == "done"


def test_what_succeeds_is_done_once_and_without_a_word() -> None:
    work = Flaky()
    assert work.tried() == "done"
    assert (work.calls, work.slept, work.said) == (1, [], [])


def test_a_passing_failure_is_tried_again_and_each_attempt_is_announced() -> None:
    work = Flaky(Transient("No answer"), Transient("Reset"))
    assert work.tried() == "done"
    first, second = work.slept
    assert work.said == [
        (2, f" !     No answer; attempt 2 of 4 in {first:.1f} seconds\n".encode()),
        (2, f" !     Reset; attempt 3 of 4 in {second:.1f} seconds\n".encode()),
    ]


@given(st.integers(2, 9))
def test_pauses_are_random_and_at_most_twice_the_one_before(most: int) -> None:
    """SYN-1"""
    work = Flaky(*[Transient("x")] * (most - 1))
    assert work.tried(budget=10_000, most=most) == "done"
    assert len(work.slept) == most - 1
    assert all(0 <= pause <= min(2**count, 20) for count, pause in enumerate(work.slept))


def test_the_last_failure_is_raised_after_the_last_attempt() -> None:
    work = Flaky(*(Transient(f"failure {number}", exit_code=number) for number in range(1, 9)))
    with pytest.raises(Transient) as failed:
        work.tried()
    assert (work.calls, failed.value.text, failed.value.exit_code) == (4, "failure 4", 4)
    assert len(work.said) == 3


@pytest.mark.parametrize("failure", [DokkuError("Denied"), ToolFailed("git", 128), Locked("busy")])
def test_any_other_failure_is_raised_at_once(failure: DokkuError) -> None:
    """SYN-3"""
    work = Flaky(failure, failure)
    with pytest.raises(type(failure)):
        work.tried()
    assert (work.calls, work.slept, work.said) == (1, [], [])


def test_what_the_other_side_asks_for_is_waited_for() -> None:
    work = Flaky(Transient("Busy", after=7))
    work.tried()
    assert work.slept == [7]


def test_the_other_side_cannot_ask_for_more_than_the_longest_pause() -> None:
    """SYN-1"""
    work = Flaky(Transient("Busy", after=86_400))
    work.tried()
    assert work.slept == [20]


def test_no_attempt_begins_after_the_budget() -> None:
    """SYN-1"""
    work = Flaky(Transient("Busy", after=5), Transient("Busy", after=5))
    with pytest.raises(Transient, match="Busy"):
        work.tried(budget=4)
    assert (work.calls, work.slept, work.said) == (1, [], [])


def test_without_a_budget_there_is_one_attempt() -> None:
    work = Flaky(Transient("Busy", after=0.5))
    with pytest.raises(Transient, match="Busy"):
        work.tried(budget=0)
    assert work.calls == 1

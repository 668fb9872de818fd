import time

from lib.base import retry


def test_a_yes_ends_the_waiting() -> None:
    answers = iter([False, False, True])
    assert retry.until(lambda: next(answers), timeout=5, every=0.01)


def test_the_time_ends_the_waiting() -> None:
    started = time.monotonic()
    assert not retry.until(lambda: False, timeout=0.2, every=0.05)
    assert 0.1 < time.monotonic() - started < 2


def test_a_yes_at_once_does_not_wait() -> None:
    started = time.monotonic()
    assert retry.until(lambda: True, timeout=60, every=60)
    assert time.monotonic() - started < 1

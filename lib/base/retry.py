"""Waiting for what needs a moment, and trying again what failed by chance: the one door to tenacity."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from lib.base import log, signals
from lib.base.errors import Transient

LONGEST = 20  # seconds between two attempts
_Answer = TypeVar("_Answer")


def until(ready: Callable[[], bool], timeout: float, every: float) -> bool:
    """Ask until the answer is yes or the time (seconds) is up; the last answer."""
    import tenacity

    def answer() -> bool:
        signals.heed()
        return ready()

    patient = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda answer: not answer),
        stop=tenacity.stop_after_delay(timeout),
        wait=tenacity.wait_fixed(every),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else False,
    )
    return bool(patient(answer))


def attempts(
    work: Callable[[], _Answer], budget: float, most: int = 4, sleep: Callable[[float], None] = time.sleep
) -> _Answer:
    """What work returns, tried again while it raises Transient; each new attempt is announced on stderr.

    Between two attempts lies a random time of up to 1, 2, 4... seconds, or what the other side asked for, at
    most LONGEST. budget: seconds after which no attempt begins any more. Raises: the last failure.
    """
    begin = time.monotonic()
    try:
        return work()
    except Transient as failure:
        first = [failure]

    def next_one() -> _Answer:
        if first:
            raise first.pop()
        return work()

    return _stubbornly(next_one, budget - (time.monotonic() - begin), most, sleep)


def _stubbornly(
    work: Callable[[], _Answer], budget: float, most: int, sleep: Callable[[float], None]
) -> _Answer:
    import tenacity  # 8 ms, and most attempts work at once

    backoff = tenacity.wait_random_exponential(multiplier=1, max=LONGEST)

    def wait(state: Any) -> float:
        return max(float(backoff(state)), min(_failure(state).after, LONGEST))

    def announce(state: Any) -> None:
        text, count = _failure(state).text, state.attempt_number + 1
        log.warn(f"{text}; attempt {count} of {most} in {state.upcoming_sleep:.1f} seconds")

    stubborn = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Transient),
        stop=tenacity.stop_any(tenacity.stop_after_attempt(most), tenacity.stop_before_delay(budget)),
        wait=wait,
        before_sleep=announce,
        sleep=sleep,
        reraise=True,
    )
    return stubborn(work)


def _failure(state: Any) -> Transient:
    failure = state.outcome.exception()
    return failure if isinstance(failure, Transient) else Transient()

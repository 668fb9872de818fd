"""Waiting for something that needs a moment: the one door to tenacity."""

from collections.abc import Callable


def until(ready: Callable[[], bool], timeout: float, every: float) -> bool:
    """Ask until the answer is yes or the time (seconds) is up; the last answer."""
    import tenacity

    patient = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda answer: not answer),
        stop=tenacity.stop_after_delay(timeout),
        wait=tenacity.wait_fixed(every),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else False,
    )
    return bool(patient(ready))

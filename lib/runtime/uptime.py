"""Whether a container stays up: for a given time, or while one waits for something else.

Time counts from the container's start, so containers that were started together are waited for once.
"""

import math
import time
from collections.abc import Iterable

from lib.base import log, retry
from lib.base.errors import DokkuError
from lib.runtime import containers
from lib.runtime.containers import Container

_given_up: set[str] = set()


class Failed(DokkuError):
    """A container did not become ready; what it said has been shown."""


class GivenUp(Failed):
    """Nobody waits for this container any more."""


def give_up(ids: Iterable[str]) -> None:
    """End the waiting for some containers that other threads are at."""
    _given_up.update(ids)


def stay(container: Container, wait: int) -> None:
    """Return when a container has run for so many seconds without a restart. Raises: Failed."""
    left = remaining(container, wait)
    if left > 0:
        log.verbose(f"Waiting for {math.ceil(left)} seconds ...")
    _watch(container, left, wait)


def pause(container: Container, seconds: float) -> None:
    """Let time pass. Raises: Failed as soon as the container is not up."""
    _watch(container, seconds, 1)


def remaining(container: Container, seconds: int) -> float:
    """How many of the first seconds of a container's life are still to come."""
    state = containers.states([container]).get(container.id)
    return max(0, min(seconds, _epoch(state.started_at) + seconds - time.time())) if state else 0


def _watch(container: Container, seconds: float, wait: int) -> None:
    if retry.until(lambda: _is_over(container, wait), timeout=seconds, every=1):
        raise GivenUp("") if container.id in _given_up else Failed("App container failed to start!!")


def _is_over(container: Container, wait: int) -> bool:
    """Whether it is down, or up again after a crash for less than the time it has to stay up."""
    if container.id in _given_up:
        return True
    state = containers.states([container]).get(container.id)
    if state is None or not state.running:
        return True
    return state.restarts > 0 and time.time() - _epoch(state.started_at) < wait + 1


def _epoch(moment: str) -> float:
    """Seconds since 1970 of docker's ISO time."""
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()

"""What proxies put in force for many apps at once: one test and one reload for all of them.

A proxy hands its `apply` and the apps to `build`, and gets them back together at the end of the block in
which a command works on many apps, whichever threads they came from. A deploy does not wait: its old
containers stay only until the proxy leads to the new ones.
"""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from lib.base.errors import AppsFailed, DokkuError

Apply = Callable[[Sequence[str]], bool]  # puts some apps in force; whether anything had to change


class _Block(NamedTuple):
    """An open block. since: when the first of those that wait came, empty without any."""

    patience: float
    waiting: dict[Apply, dict[str, None]]
    since: list[float]
    failures: list[DokkuError]


_guard = threading.Lock()
_open: list[_Block] = []  # one at most
_thread = threading.local()


def build(apply: Apply, apps: Sequence[str]) -> bool:
    """Have a proxy put some apps in force: now, or at the end of the open block; whether it did anything yet.

    Raises: what `apply` raises, when it is now.
    """
    with _guard:
        block = _open[0] if _open and not getattr(_thread, "is_urgent", False) else None
        due = _noted(block, apply, apps) if block else {}
    if block is None:
        return apply(apps)
    block.failures.extend(_apply(due))
    return False


@contextlib.contextmanager
def batched(patience: float = math.inf) -> Iterator[None]:
    """Let every `build` inside the block wait for its end, where each proxy is called once with all its apps.

    patience: seconds after which those that wait are not kept waiting for the end.
    Also when the block fails or is interrupted: what was done for an app until then is to count.
    Raises: what the block raises, with the proxies' failures as its cause if it was interrupted; AppsFailed
    for what it and the proxies raised together.
    """
    with _guard:
        is_outermost = not _open
        if is_outermost:
            _open.append(_Block(patience, {}, [], []))
    if not is_outermost:
        yield
        return
    failed: list[DokkuError] = []
    stopped: BaseException | None = None
    try:
        yield
    except DokkuError as error:
        failed.append(error)
    except BaseException as error:
        stopped = error
    with _guard:
        block = _open.pop()
    failures = [*block.failures, *_apply(block.waiting), *failed]
    failure = joined(failures) if failures else None
    if stopped:
        raise stopped from failure
    if failure:
        raise failure


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """Let no `build` of this thread wait inside the block."""
    before = getattr(_thread, "is_urgent", False)
    _thread.is_urgent = True
    try:
        yield
    finally:
        _thread.is_urgent = before


def joined(failures: Sequence[DokkuError]) -> DokkuError:
    """Some failures as one."""
    if len(failures) == 1:
        return failures[0]
    text, *more = (text for error in failures for text in error.lines)
    reasons = {
        app: why for one in failures if isinstance(one, AppsFailed) for app, why in one.reasons.items()
    }
    return AppsFailed(text, reasons, more=tuple(more))


def _noted(block: _Block, apply: Apply, apps: Sequence[str]) -> dict[Apply, dict[str, None]]:
    """Let some apps wait; who waits no longer, everybody as soon as one has waited too long."""
    block.waiting.setdefault(apply, {}).update(dict.fromkeys(apps))
    now = time.monotonic()
    if not block.since:
        block.since.append(now)
    if now - block.since[0] < block.patience:
        return {}
    due = dict(block.waiting)
    block.waiting.clear()
    block.since.clear()
    return due


def _apply(collected: dict[Apply, dict[str, None]]) -> list[DokkuError]:
    """Have each proxy put its apps in force; what went wrong."""
    failures = []
    for apply, apps in collected.items():
        try:
            apply(list(apps))
        except DokkuError as error:
            failures.append(error)
    return failures

"""What proxies put in force for many apps at once: one test and one reload for all of them.

A proxy hands its `apply` and the apps to `build`, and gets them back together at the end of the block in
which a command works on many apps, whichever threads they came from. A deploy does not wait: its old
containers stay only until the proxy leads to the new ones.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence

from lib.base.errors import AppsFailed, DokkuError

Apply = Callable[[Sequence[str]], bool]  # puts some apps in force; whether anything had to change

_guard = threading.Lock()
_waiting: list[dict[Apply, dict[str, None]]] = []  # the open block's apps, none while no block is open
_thread = threading.local()


def build(apply: Apply, apps: Sequence[str]) -> bool:
    """Have a proxy put some apps in force: now, or at the end of the open block; whether it did anything yet.

    Raises: what `apply` raises, when it is now.
    """
    with _guard:
        if _waiting and not getattr(_thread, "is_urgent", False):
            _waiting[0].setdefault(apply, {}).update(dict.fromkeys(apps))
            return False
    return apply(apps)


@contextlib.contextmanager
def batched() -> Iterator[None]:
    """Let every `build` inside the block wait for its end, where each proxy is called once with all its apps.

    Also when the block fails or is interrupted: what was done for an app until then is to count.
    Raises: what the block raises, with the proxies' failures as its cause if it was interrupted; AppsFailed
    for what it and the proxies raised together.
    """
    with _guard:
        is_outermost = not _waiting
        if is_outermost:
            _waiting.append({})
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
    failures = [*_apply(_taken()), *failed]
    failure = _joined(failures) if failures else None
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


def _taken() -> dict[Apply, dict[str, None]]:
    with _guard:
        return _waiting.pop() if _waiting else {}


def _apply(collected: dict[Apply, dict[str, None]]) -> list[DokkuError]:
    """Have each proxy put its apps in force; what went wrong."""
    failures = []
    for apply, apps in collected.items():
        try:
            apply(list(apps))
        except DokkuError as error:
            failures.append(error)
    return failures


def _joined(failures: Sequence[DokkuError]) -> DokkuError:
    if len(failures) == 1:
        return failures[0]
    text, *more = (text for error in failures for text in (error.text, *error.more) if text)
    reasons = {
        app: why for one in failures if isinstance(one, AppsFailed) for app, why in one.reasons.items()
    }
    return AppsFailed(text, reasons, more=tuple(more))

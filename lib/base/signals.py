"""What happens on Ctrl-C, a terminated session and kill, and the failpoints that tests set."""

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from types import FrameType

from lib.base import settings
from lib.base.errors import Interrupted

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_deferring = 0
_pending: list[int] = []
_here = threading.local()  # .deferring, as above
_interrupted: dict[int, int] = {}  # threads that have not heard of it yet, and the signal's number


def install() -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into Interrupted, so that every `with` block cleans up."""
    for number in _NUMBERS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
            signal.signal(number, _arrived)
    sys.unraisablehook = _dropped


@contextlib.contextmanager
def deferred() -> Iterator[bool]:
    """Finish the block first: a signal that arrives inside it takes effect after it.

    Yields whether a block around this one waits already.
    """
    global _deferring
    if threading.current_thread() is not threading.main_thread():
        yield from _deferred_in_a_thread()
        return
    _deferring += 1
    try:
        yield _deferring > 1
    finally:
        _deferring -= 1
        if _pending and not _deferring:
            number = _pending[0]
            _pending.clear()  # the others asked for the same
            raise Interrupted(number)


def pass_on(number: int, threads: Iterable[int]) -> None:
    """Let threads hear of a signal that only the main one gets, each where it next calls `heed`."""
    _interrupted.update(dict.fromkeys(threads, number))


def heed() -> None:
    """Hear of a signal that was passed on to this thread; not while it defers them. Raises: Interrupted."""
    if _interrupted and not getattr(_here, "deferring", 0):
        number = _interrupted.pop(threading.get_ident(), 0)
        if number:
            raise Interrupted(number)


def failpoint(stage: str) -> None:
    """Die or fail here when DOKKU_TEST_FAILPOINT=STAGE:ACTION asks for it.

    Honoured only where root has made the file `failpoints` in DOKKU_LIB_ROOT, which tests do in their own
    instance. ACTION: kill9 (the whole process group, the default), term, int, hup, raise.
    """
    wanted, _, action = os.environ.get("DOKKU_TEST_FAILPOINT", "").partition(":")
    if wanted != stage:
        return
    switch = os.path.join(settings.lib(), "failpoints")
    if not os.path.isfile(switch) or os.stat(switch).st_uid != 0:
        return
    if action == "raise":
        raise RuntimeError(f"failpoint {stage}")
    if action in ("term", "int", "hup"):
        os.kill(os.getpid(), signal.Signals[f"SIG{action.upper()}"])
        return
    os.killpg(0, signal.SIGKILL)


def _deferred_in_a_thread() -> Iterator[bool]:
    depth = getattr(_here, "deferring", 0)
    _here.deferring = depth + 1
    try:
        yield _deferring > 0 or depth > 0
    finally:
        _here.deferring = depth
        heed()


def _arrived(number: int, _frame: FrameType | None) -> None:
    if _deferring:
        _pending.append(number)
        return
    raise Interrupted(number)


def _dropped(what: "sys.UnraisableHookArgs") -> None:
    """A signal that comes while Python clears an object away is dropped there: let it come again."""
    if isinstance(what.exc_value, Interrupted):
        _thread.start_new_thread(_repeat, (_thread.get_ident(), what.exc_value.number))
    else:
        sys.__unraisablehook__(what)


def _repeat(main: int, number: int) -> None:
    time.sleep(0.01)  # by then the main thread has cleared away; if not, this happens again
    signal.pthread_kill(main, number)

"""The same work for many apps: one after another, or on a thread pool with each app's lines kept together.

Source of the texts: dokku v0.24.0 plugins/common/parallel.go; the line that names the failed apps is ours.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from lib.base import errors, log, progress, run, signals
from lib.base.errors import AppsFailed, DokkuError, Interrupted

MOST = 1000  # workers that may be asked for
_AT_A_TIME = 64  # that work: more of them would only wait for each other
_HEARS_WITHIN = 0.2  # seconds
_Answer = TypeVar("_Answer")
Together = Callable[[], contextlib.AbstractContextManager[None]]


class _Course(NamedTuple):
    """What has happened so far, by app. failed: why. common: what went wrong for all at once."""

    done: list[str]
    failed: dict[str, str]
    common: list[str]


def each(
    verb: str,
    work: Callable[[str], None],
    apps: Sequence[str],
    workers: int,
    together: Together = contextlib.nullcontext,
) -> None:
    """Do work for every app; a failure of one is shown, counted and named, the others go on.

    workers: 0 or 1 for one after another, -1 for one per CPU. together: a block around all of it, which may
    do the last step for all apps at its end and raise AppsFailed. Raises: DokkuError with the count of
    failures. An interruption ends what is under way, and what is done by then is told.
    """
    workers = counted(workers)
    if not apps:
        log.warn("You haven't deployed any applications yet")
        return
    course = _Course([], {}, [])
    is_pooled = workers > 1
    try:
        with together():
            (_pooled if is_pooled else _in_turn)(verb, work, apps, workers, course)
    except KeyboardInterrupt as interruption:
        _note(verb, interruption.__cause__, course, is_pooled)
        _tell(apps, course)
        raise
    except DokkuError as error:
        _note(verb, error, course, is_pooled)
    count = len(course.failed) + bool(course.common)
    if count:
        summary = f"Encountered {count} errors during parallel run"
        names = [f"Failed apps: {', '.join(sorted(course.failed))}"] if course.failed else []
        text = summary if is_pooled else f"{verb} command returned {count} errors"
        raise DokkuError(text, more=(*names, *course.common))


def counted(workers: int) -> int:
    """How many workers are meant. Raises: DokkuError for a number that means nothing."""
    if not -1 <= workers <= MOST:
        raise DokkuError(f"Invalid value {workers} for --parallel flag")
    if workers == -1:
        workers = os.cpu_count() or 1
        log.warn(f"Setting --parallel=-1 value to CPU count of {workers}")
    return workers


def answers(question: Callable[[str], _Answer], apps: Sequence[str], workers: int) -> dict[str, _Answer]:
    """What a question says of each app, asked of some at a time; nothing for a single worker or app."""
    if workers < 2 or len(apps) < 2:
        return {}
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=min(workers, len(apps), _AT_A_TIME)) as pool:
        return dict(zip(apps, pool.map(question, apps), strict=True))


def _in_turn(
    verb: str, work: Callable[[str], None], apps: Sequence[str], _workers: int, course: _Course
) -> None:
    if not log.is_mail():
        log.warn(f"Running {verb} in serial mode")
    for app in apps:
        with _headed(f"Running {verb} against app {app}"):
            reason = _attempt(work, app, _complaint(verb, False))
        _settle(app, reason, course)


def _pooled(
    verb: str, work: Callable[[str], None], apps: Sequence[str], workers: int, course: _Course
) -> None:
    from concurrent.futures import Future, ThreadPoolExecutor  # 17 ms

    threads: set[int] = set()
    is_over = threading.Event()

    def attempt(app: str) -> tuple[str | None, list[tuple[int, bytes]]]:
        threads.add(threading.get_ident())  # before the question: who is not asked to stop has not begun
        return (None, []) if is_over.is_set() else _collected(verb, work, app)

    def take(done: Future[Any]) -> None:
        reason, said = done.result()
        progress.wipe()
        for stream, data in said:
            log.raw(data, stream)
        if reason is not None:
            _settle(names[done], reason, course)
        del names[done]
        _draw(verb, len(apps), course)

    pool = ThreadPoolExecutor(max_workers=min(workers, len(apps), _AT_A_TIME))
    names = {pool.submit(attempt, app): app for app in apps}
    try:
        _draw(verb, len(apps), course)
        for done in _as_they_end(set(names)):
            take(done)
    except KeyboardInterrupt as interruption:
        is_over.set()
        pool.shutdown(wait=False, cancel_futures=True)
        _interrupt(interruption, threads)
        for done in _as_they_end({one for one in names if not one.cancelled()}):
            take(done)
        raise
    finally:
        progress.wipe()


def _interrupt(interruption: KeyboardInterrupt, threads: set[int]) -> None:
    """Have some threads clear away and stop."""
    signals.pass_on(getattr(interruption, "number", signal.SIGINT), threads)
    run.end_all()


def _as_they_end(pending: set[Any]) -> Iterator[Any]:
    """These futures, each when it is done. A signal need not wake who waits for threads: look up."""
    from concurrent.futures import FIRST_COMPLETED, wait

    while pending:
        ended, pending = wait(pending, timeout=_HEARS_WITHIN, return_when=FIRST_COMPLETED)
        yield from ended


def _collected(
    verb: str, work: Callable[[str], None], app: str
) -> tuple[str | None, list[tuple[int, bytes]]]:
    """Why an app failed, None if it was interrupted, and what was said while it was at work."""
    with log.collected() as said:
        try:
            with _headed(f"Running command against {app}"):
                return _attempt(work, app, _complaint(verb, True)), said
        except Interrupted:
            return None, said


@contextlib.contextmanager
def _headed(title: str) -> Iterator[None]:
    """Say a title before what the block says; in a mail from cron, none for a block that says nothing."""
    if not log.is_mail():
        log.info1(title)
        yield
        return
    said: list[tuple[int, bytes]] = []
    try:
        with log.collected() as said:
            yield
    finally:
        if said:
            log.info1(title)
        for stream, data in said:
            log.raw(data, stream)


def _attempt(work: Callable[[str], None], app: str, complaint: str) -> str:
    """Do the work for one app; why it failed, shown already, or nothing."""
    try:
        work(app)
    except DokkuError as error:
        reason = error.text or f"exit status {error.exit_code}"
    except Exception as error:  # a bug in one app's work must not end the other apps'
        reason = errors.reason(error)
    else:
        return ""
    log.warn(f"{complaint}{app}: {reason}")
    return reason


def _settle(app: str, reason: str, course: _Course) -> None:
    if reason:
        course.failed[app] = reason
    else:
        course.done.append(app)


def _note(verb: str, error: BaseException | None, course: _Course, is_pooled: bool) -> None:
    """Take in what the last step for all apps has failed at."""
    if not isinstance(error, DokkuError):
        return
    reasons, told = (error.reasons, error.by_app) if isinstance(error, AppsFailed) else ({}, ())
    for app in sorted(reasons):
        log.warn(f"{_complaint(verb, is_pooled)}{app}: {reasons[app]}")
        course.failed.setdefault(app, reasons[app])
    course.done[:] = [app for app in course.done if app not in reasons]
    said = error.more if reasons else error.lines
    course.common.extend(text for text in said if text not in told)


def _tell(apps: Sequence[str], course: _Course) -> None:
    """Say what an interruption has left undone."""
    log.warn(f"Interrupted: {len(course.done)} of {len(apps)} apps done")
    left = [app for app in apps if app not in {*course.done, *course.failed}]
    for what, names in (("Done", course.done), ("Failed", list(course.failed)), ("Not done", left)):
        if names:
            log.warn(f"{what}: {', '.join(sorted(names))}")


def _complaint(verb: str, is_pooled: bool) -> str:
    return f"Error running {verb} against {'' if is_pooled else 'app '}"


def _draw(verb: str, count: int, course: _Course) -> None:
    failed = f", {len(course.failed)} failed" if course.failed else ""
    progress.draw(f"{verb}: {len(course.done) + len(course.failed)} of {count} apps{failed}")

"""The same work for many apps: one after another, or on a thread pool with each app's lines kept together.

Source of the texts: dokku v0.24.0 plugins/common/parallel.go.
"""

import os
from collections.abc import Callable, Sequence

from lib.base import log
from lib.base.errors import DokkuError


def each(verb: str, work: Callable[[str], None], apps: Sequence[str], workers: int) -> None:
    """Do work for every app; a failure of one is shown and counted, the others go on.

    workers: 0 or 1 for one after another, -1 for one per CPU. Raises: DokkuError with the count of failures.
    """
    if workers < -1:
        raise DokkuError(f"Invalid value {workers} for --parallel flag")
    if not apps:
        log.warn("You haven't deployed any applications yet")
        return
    if workers == -1:
        workers = os.cpu_count() or 1
        log.warn(f"Setting --parallel=-1 value to CPU count of {workers}")
    if workers <= 1:
        log.warn(f"Running {verb} in serial mode")
        failures = sum(
            not _attempt(f"Running {verb} against app {app}", verb, "app ", work, app) for app in apps
        )
        if failures:
            raise DokkuError(f"{verb} command returned {failures} errors")
        return
    failures = _pooled(verb, work, apps, workers)
    if failures:
        raise DokkuError(f"Encountered {failures} errors during parallel run")


def _pooled(verb: str, work: Callable[[str], None], apps: Sequence[str], workers: int) -> int:
    from concurrent.futures import ThreadPoolExecutor, as_completed  # 17 ms

    def collected(app: str) -> tuple[bool, list[tuple[int, bytes]]]:
        with log.collected() as said:
            return _attempt(f"Running command against {app}", verb, "", work, app), said

    failures = 0
    with ThreadPoolExecutor(max_workers=min(workers, len(apps))) as pool:
        try:
            for done in as_completed([pool.submit(collected, app) for app in apps]):
                succeeded, said = done.result()
                failures += not succeeded
                for stream, data in said:
                    log.raw(data, stream)
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return failures


def _attempt(opening: str, verb: str, what: str, work: Callable[[str], None], app: str) -> bool:
    log.info1(opening)
    try:
        work(app)
    except DokkuError as error:
        reason = error.text or f"exit status {error.exit_code}"
        log.warn(f"Error running {verb} against {what}{app}: {reason}")
        return False
    except Exception as error:  # a bug in one app's work must not end the other apps'
        log.warn(f"Error running {verb} against {what}{app}: {type(error).__name__}: {error}")
        return False
    return True

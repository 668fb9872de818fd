"""`--all` and `--parallel`: the same command for one app or for every app."""

import contextlib
from collections.abc import Callable, Sequence

from lib.app import apps
from lib.base import parallel


def each(
    verb: str,
    work: Callable[[str], None],
    app: str,
    all_apps: bool,
    workers: int,
    together: parallel.Together = contextlib.nullcontext,
) -> None:
    """Do work for the app named, or for every one: with the texts, counts and threads of parallel.each.

    together: a block around the work for every one. An app that goes meanwhile is one that fails.
    """
    if all_apps:
        some(verb, work, apps.names(), workers, together)
    else:
        work(apps.verify_app_name(app))


def some(
    verb: str,
    work: Callable[[str], None],
    names: Sequence[str],
    workers: int,
    together: parallel.Together = contextlib.nullcontext,
) -> None:
    """Do work for some apps; the rest as above."""
    parallel.each(verb, lambda app: work(apps.verify_app_name(app)), names, workers, together)


def all_or_one(app: str, all_apps: bool, workers: int) -> str:
    """`--all` itself, for what is one step however many workers there are; else the app named."""
    if all_apps:
        parallel.counted(workers)
        return "--all"
    return apps.verify_app_name(app)

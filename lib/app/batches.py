"""`--all` and `--parallel`: the same command for one app or for every app."""

from collections.abc import Callable

from lib.app import apps
from lib.base import parallel


def each(verb: str, work: Callable[[str], None], app: str, all_apps: bool, workers: int) -> None:
    """Do work for the app named, or for every one: with the texts, counts and threads of parallel.each."""
    if all_apps:
        parallel.each(verb, work, apps.names(), workers)
    else:
        work(apps.verify_app_name(app))

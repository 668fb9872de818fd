"""Files that running apps have in their images, for those who know nothing of images."""

import functools
from collections.abc import Callable, Sequence

from lib.build import images
from lib.runtime import containers


def readers(wanted: Sequence[str], name: str) -> dict[str, Callable[[], str]]:
    """How to read one of images.FILES out of the image that serves each app's visitors; absent without one.

    An image that was not read since its deploy is asked for when its reader is called; docker is asked twice
    at most for all the others. A reader gives nothing where there is no such file.
    """
    ids = _serving(wanted)
    kept = {app: images.kept_files(app, ids[app]) for app in ids}
    known = images.find_by_id(*sorted({ids[app] for app in ids if kept[app] is None}))

    def read(app: str) -> str:
        found = kept[app]
        if found is None:
            found = images.read_files(app, known[ids[app]]) if ids[app] in known else {}
        return found.get(name, "")

    return {app: functools.partial(read, app) for app in ids}


def is_expected(app: str, name: str) -> bool:
    """Whether the app's image had such a file when one was last looked into; that is at each deploy."""
    return bool(images.last_read(app).get(name))


def _serving(wanted: Sequence[str]) -> dict[str, str]:
    """The id of the image of each app's first web container, in one question to docker."""
    web = [found for app in wanted for found in containers.registered(app) if found.process == "web"]
    states = containers.states(web) if web else {}
    return {found.app: states[found.id].image for found in reversed(web) if found.id in states}

"""Releases of an app on disk: what each was made of, who made it, how it ended.

They are $DOKKU_LIB_ROOT/data/releases/APP/vN.json, readable for the system user only: the app's variables at
that time stand there with their values. A release that is no longer kept has neither values nor an image.
Which release serves is read off the registered containers, so that a killed deploy can't lie about it.
"""

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from lib.base import files, log, procfs, properties, settings, values
from lib.base.errors import DokkuError, reason
from lib.runtime import containers

DEPLOYING, SUCCEEDED, SKIPPED = "deploying", "succeeded", "skipped"
INCOMPLETE, FAILED, CANCELLED, KILLED = "incomplete", "failed", "cancelled", "killed"
PLUGIN, KEEP, MOST = "releases", 5, 1000
HISTORY = 100  # records, also of releases that are no longer kept

_FILE = re.compile(r"v([1-9][0-9]{0,8})\.json")
_WORD = re.compile(r"v?([1-9][0-9]{0,8})", re.ASCII)


class Release(NamedTuple):
    """started, ended: seconds since 1970, ended 0 when nobody saw the end. process_start: as procfs.started.

    source, metadata: as deploy-source-set has them, else the command. build: its number, 0 for none.
    names: of the variables; config has them with values while the release is kept. exposed: the ports that a
    build found. app_json: of a source whose image has none. scale: the text of DOKKU_SCALE; is_frozen: by the
    source.
    """

    number: int
    user: str
    pid: int
    process_start: str
    started: int
    source: str = ""
    metadata: str = ""
    revision: str = ""
    build: int = 0
    image: str = ""
    containers: Sequence[str] = ()
    names: Sequence[str] = ()
    config: Mapping[str, str] = MappingProxyType({})
    exposed: str = ""
    app_json: str | None = None
    scale: str = ""
    is_frozen: bool = False
    ended: int = 0
    outcome: str = DEPLOYING

    @property
    def is_good(self) -> bool:
        """Whether it served, and its image is worth keeping."""
        return self.outcome in (SUCCEEDED, INCOMPLETE)


def all_(app: str) -> list[Release]:
    """Every release of an app, the oldest first; one whose process is gone has an outcome all the same."""
    serving = _serving(app)
    found = [read(app, number) for number in numbers(app)]
    return [_judged(release, serving) for release in found if release]


def last(app: str) -> Release | None:
    """The newest release of an app, however it ended; None before the first."""
    serving = _serving(app)
    found = (read(app, number) for number in reversed(numbers(app)))
    return next((_judged(release, serving) for release in found if release), None)


def serving(app: str, known: Sequence[Release] | None = None) -> Release | None:
    """The release that the app's containers are of; of an app without containers the last that worked.

    known: all releases, where the caller has them. None: what serves is older than the records.
    """
    ids = _serving(app)
    for release in reversed(all_(app) if known is None else known):
        if ids & set(release.containers) if ids else release.is_good:
            return release
    return None


def find(app: str, word: str = "") -> Release:
    """The release that `v5` or `5` means, the one that serves without a word. Raises: DokkuError."""
    if not word:
        found = serving(app) or next(reversed(all_(app)), None)
        if found is None:
            raise DokkuError(f"App {app} has no releases yet")
        return found
    match = _WORD.fullmatch(word)
    if match is None:
        raise DokkuError(f"Invalid release: {values.printable(word)}")
    for release in all_(app):
        if release.number == int(match[1]):
            return release
    raise DokkuError(f"App {app} has no release v{match[1]}")


def read(app: str, number: int) -> Release | None:
    """A record as it was written; None for one that is not there or can't be read."""
    text = files.read(_path(app, number))
    try:
        known: dict[str, Any] = json.loads(text)
        return Release(**{**known, "number": number})
    except (ValueError, TypeError):
        return None


def write(app: str, release: Release) -> None:
    """Put a record in place of the one of that number."""
    directory = _directory(app)
    files.make_directory(os.path.dirname(directory))
    files.make_directory(directory, 0o700)
    with files.locked(_path(app, release.number)):
        files.replace(
            _path(app, release.number),
            json.dumps({**release._asdict(), "config": dict(release.config)}) + "\n",
        )


def settle(app: str) -> None:
    """Write down how the releases of killed processes ended. To be called under the deploy lock."""
    for release in all_(app):
        written = read(app, release.number)
        if written and written.outcome != release.outcome:
            write(app, release if release.is_good else without_content(release))


def without_content(release: Release) -> Release:
    """A release that nobody can go back to: its image and its values are for nobody any more."""
    return release._replace(image="", config=MappingProxyType({}), app_json=None, scale="")


def kept(app: str) -> list[Release]:
    """The releases that can be gone back to: the last few that worked, with the one that serves."""
    known = all_(app)
    now = serving(app, known)
    good = [release for release in known if release.is_good and release.image]
    last = good[-keep(app) :]
    if now and now in good and now not in last:
        last = [now, *last[1:]]
    return last


def drop_old(app: str, spared: Sequence[int]) -> None:
    """Take image and values off all records but some, and remove those beyond HISTORY."""
    known = all_(app)
    for release in known[: max(0, len(known) - HISTORY)]:
        if release.number not in spared:
            files.remove(_path(app, release.number))
    for release in known[-HISTORY:]:
        bare = without_content(release)
        if release.number not in spared and release.outcome != DEPLOYING and bare != release:
            write(app, bare)


def numbers(app: str) -> list[int]:
    """The numbers of all records, also of unreadable ones."""
    directory = _directory(app)
    names = os.listdir(directory) if os.path.isdir(directory) else []
    return sorted(int(match[1]) for name in names if (match := _FILE.fullmatch(name)))


def keep(app: str) -> int:
    """How many releases of an app are kept with their images."""
    for owner in (app, properties.GLOBAL):
        text = properties.get(PLUGIN, owner, "keep")
        if is_count(text):
            return int(text)
    return KEEP


def is_count(text: str) -> bool:
    return values.is_number(text) and 1 <= int(text) <= MOST


def forget(app: str) -> None:
    files.remove(_directory(app))


@contextlib.contextmanager
def only_warned(app: str) -> Iterator[None]:
    """What can't be recorded in the block is told, and no reason to fail."""
    try:
        yield
    except (DokkuError, OSError) as error:
        log.warn(f"Unable to keep the releases of {app} on record: {reason(error)}")


def is_alive(release: Release) -> bool:
    """Whether the process that makes it is still there."""
    return release.outcome == DEPLOYING and procfs.started(release.pid) == release.process_start


def _judged(release: Release, serving_ids: set[str]) -> Release:
    if release.outcome != DEPLOYING or is_alive(release):
        return release
    return release._replace(outcome=INCOMPLETE if serving_ids & set(release.containers) else KILLED)


def _serving(app: str) -> set[str]:
    return {container.id for container in containers.registered(app)}


def _path(app: str, number: int) -> str:
    return os.path.join(_directory(app), f"v{number}.json")


def _directory(app: str) -> str:
    return settings.data(PLUGIN, app)

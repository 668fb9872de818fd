"""Layers that a build leaves in docker's cache: of use to the next build, then in the way.

The classic builder gives our labels to an image last, so the layers of a failed or killed build carry none.
It does print their ids: they are written down as they appear, and go when a later deploy has not built on
them.
"""

import contextlib
import fcntl
import os
import re
from collections.abc import Callable, Iterator

from lib.base import files, log, settings
from lib.base.errors import DokkuError
from lib.tools import docker, docker_complaints

_MOST = 1000  # of one build, whose programs may print such lines, too
_LAYER = re.compile(rb" ---> ([0-9a-f]{12})\s*")


def recorder(app: str) -> Callable[[bytes], None]:
    """What to do with a line of a build's output: show it, and write down the layer it names."""
    path = _path(app)
    files.make_directory(os.path.dirname(path))
    seen: set[bytes] = set()

    def record(line: bytes) -> None:
        match = _LAYER.fullmatch(line)
        if match and match[1] not in seen and len(seen) < _MOST:
            seen.add(match[1])
            with open(path, "ab") as file:
                file.write(match[1] + b"\n")
        log.raw(line)

    return record


def complaints(lost: list[bytes]) -> Callable[[bytes], None]:
    """What to do with a line of a build's stderr: show it, and keep it if it says that a layer has gone."""

    def take(line: bytes) -> None:
        if docker_complaints.has_lost_a_layer(line):
            lost.append(line)
        log.raw(line, stream=2)

    return take


@contextlib.contextmanager
def in_use() -> Iterator[None]:
    """While the block builds on layers, of whatever app they are, nobody removes any."""
    with _lock(fcntl.LOCK_SH):
        yield


def remove_abandoned(app: str) -> None:
    """Remove the written-down layers that no image builds on. To be called when a deploy has succeeded.

    Left to a later deploy while anything is built: apps share layers, and one that a build under way has just
    made looks abandoned.
    """
    written = set(files.read_lines(_path(app)))
    if not written:
        return
    with contextlib.suppress(BlockingIOError), _lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
        unnamed = docker.images("dangling=true")
        for known in docker.inspect_images(*(id_ for id_ in unnamed if _short(id_) in written)):
            if not known.get("RepoDigests"):  # what a Dockerfile names by a digest is no layer of ours
                docker.remove_image(known["Id"])
        files.remove(_path(app))


def forget(app: str) -> None:
    """The app is gone: remove its layers that nobody needs, and the note of them."""
    try:
        remove_abandoned(app)
    except DokkuError as error:
        log.debug(f"Layers of {app} stay: {error}")
    files.remove(settings.data("builder-dockerfile", app))


@contextlib.contextmanager
def _lock(how: int) -> Iterator[None]:
    """flock on a file of the builder's that stays; it dies with its process."""
    path = os.path.join(settings.data("builder-dockerfile"), "building")
    files.make_directory(os.path.dirname(path))
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def _short(id_: str) -> str:
    return id_.removeprefix("sha256:")[:12]


def _path(app: str) -> str:
    return os.path.join(settings.data("builder-dockerfile", app), "layers")

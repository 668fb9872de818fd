"""The directory in which an app's buildpacks keep what the next build can use: $DOKKU_ROOT/APP/cache.

Builds mount it, and what they leave there belongs to users of their containers: only a container may remove
it then. That container gets the cache, and to read the host's own programs: so no image is pulled for it.
"""

import contextlib
import os
from collections.abc import Sequence

from lib.base import files, settings, signals
from lib.base.errors import DokkuError
from lib.build import buildpacks
from lib.tools import docker, docker_commit, docker_images

_PLACE = "cache"
_EMPTY = ("/usr/bin/find", "/cache", "-mindepth", "1", "-delete")
_COPY = ("/usr/bin/cp", "-a", "/cache/.", "/moved")
_PROGRAMS = ("/usr", "/lib", "/lib64")  # of the host, with what they are linked to


def option(app: str) -> str:
    """The docker option by which a container has the app's cache as /cache."""
    files.make_directory(_path(app))
    return f"--volume={_host_path(app)}:/cache"


def marks(app: str) -> dict[str, str]:
    """The labels of a container that a deploy uses for a while: a killed one's is removed by the next."""
    return {**settings.LABELS, "com.dokku.app-name": app, "com.dokku.container-type": "peek"}


def purge(app: str) -> None:
    """Remove the app's cache; the next build starts without. None is success."""
    try:
        files.remove(_path(app))
    except PermissionError:
        _in_container(app, [option(app)], _EMPTY)
        files.remove(_path(app))


def give_up(app: str) -> None:
    """Remove what only root may of an app that is going: its cache, and others' directories in its own."""
    purge(app)
    for place in files.closed_directories(settings.app_dir(app)):
        inside = os.path.relpath(place, settings.root())
        seen = os.path.join(os.environ.get("DOKKU_HOST_ROOT") or settings.root(), inside)
        _in_container(app, [f"--volume={seen}:/cache"], _EMPTY)


def move(old: str, new: str) -> None:
    """Give an app the cache of another, which has none then."""
    if not os.path.isdir(_path(old)):
        return
    purge(new)
    try:
        os.rename(_path(old), _path(new))
    except PermissionError:
        target = option(new).replace(":/cache", ":/moved")
        _in_container(old, [option(old), target], _COPY)
        purge(old)


def _in_container(app: str, options: Sequence[str], command: Sequence[str]) -> None:
    """Run a program of the host as root in a container without files of its own.

    Where dokku runs in a container itself, docker's host may have others: then in the stack's image.
    """
    is_inside = bool(os.environ.get("DOKKU_HOST_ROOT"))
    seen = [f"--volume={os.path.realpath(path)}:{path}:ro" for path in _PROGRAMS if os.path.isdir(path)]
    flags = ["--user=0", "--network=none", *([] if is_inside else seen), *options]
    stack = contextlib.nullcontext(buildpacks.stack(app) or buildpacks.default_stack())
    with stack if is_inside else docker_images.empty() as image:
        container = docker.create("", image, command, marks(app), ["--entrypoint=", *flags])
        try:
            if docker_commit.run_attached(container):
                raise DokkuError(f"Unable to handle files of {app} that its containers own")
        finally:
            with signals.deferred(), contextlib.suppress(DokkuError):
                docker.remove(container)


def _path(app: str) -> str:
    return os.path.join(settings.app_dir(app), _PLACE)


def _host_path(app: str) -> str:
    """The same as docker sees it, where dokku runs in a container itself."""
    return os.path.join(os.environ.get("DOKKU_HOST_ROOT") or settings.root(), app, _PLACE)

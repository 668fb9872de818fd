"""The dockerfile builder: `docker build` of a Dockerfile in the source.

Source: dokku v0.24.0 plugins/builder-dockerfile.
"""

import functools
import os
from collections.abc import Callable

from lib.app import config, environments, options
from lib.base import files, log, scratch, signals, triggers, values
from lib.base.errors import DokkuError, ToolFailed
from lib.build import (
    builder_settings,
    builders,
    dockerfile_images,
    exposed_ports,
    foreign_images,
    images,
    layers,
    plans,
)
from lib.tools import buildx, docker, docker_builds

NAME = "dockerfile"
_FILE = "Dockerfile"
_READ_BY_CLIENT = (_FILE, ".dockerignore")
_OWN_CACHES = "BUILDKIT_CACHE_MOUNT_NS"  # else a cache of any id is that of whichever app names it
_NOT_FOR_BUILDS = ("-v", "--volume", "--link", "--iidfile")


def detected(app: str, tree: str) -> str:
    """The builder's name when the source has a Dockerfile and asks for no other builder."""
    others = builders.wants_herokuish(app, tree) or builders.wants_pack(app, tree)
    return f"{NAME}\n" if os.path.lexists(os.path.join(tree, _FILE)) and not others else ""


def place(app: str, tree: str, *_: str) -> None:
    """Put the app's Dockerfile where docker looks, if it is kept elsewhere.

    Raises: DokkuError when it is not there, unless another builder was chosen.
    """
    chosen = plans.path(NAME, app)
    if builder_settings.computed(app, "selected") not in ("", NAME):
        return
    if os.path.normpath(chosen) != _FILE and files.read_beneath(tree, chosen) is None:
        raise DokkuError(f"Invalid dockerfile-path specified: {chosen}")
    plans.place(NAME, app, tree)


def build(builder: str, app: str, tree: str) -> None:
    """Build dokku/APP:latest from a source tree; its name is set only when all of it is there.

    Fires: pre-build-dockerfile, docker-args-build, docker-args-process-build, post-build-dockerfile.
    """
    if builder != NAME:
        return
    log.info1(f"Building {app} from Dockerfile")
    ports = exposed_ports.named_in(_verified(tree))
    triggers.fire("pre-build-dockerfile", app, cwd=tree)
    said = triggers.ask("docker-args-build", app, NAME) + triggers.ask("docker-args-process-build", app, NAME)
    more = os.environ.get("DOKKU_DOCKER_BUILD_OPTS", "")
    flags = build_options(options.words(said) + options.words(more))
    valued = arguments(app, flags, buildx.builds())
    _verify_images(app, tree, flags, valued)
    with scratch.directory("build") as place_, layers.in_use():
        flags = environments.secrets_in_files(flags, config.merged(app), place_)
        _build(app, tree, os.path.join(place_, "image"), flags, valued)
    signals.failpoint("tagged")
    exposed_ports.of_build(app, ports)
    triggers.fire("post-build-dockerfile", app, cwd=tree)


def release(builder: str, app: str, tag: str) -> None:
    """Fires: pre-release-dockerfile, post-release-dockerfile. The labels are on the image since its build."""
    if builder != NAME:
        return
    triggers.fire("pre-release-dockerfile", app, tag)
    triggers.fire("post-release-dockerfile", app, tag)


def build_options(words: list[str]) -> list[str]:
    """The docker options that a build takes: those for mounts and links, which it has not, are dropped."""
    kept: list[str] = ["--no-cache"] if os.environ.get("DOKKU_DOCKERFILE_CACHE_BUILD") == "false" else []
    rest = iter(words)
    for word in rest:
        if word in _NOT_FOR_BUILDS:
            next(rest, None)
        elif not word.startswith(tuple(f"{flag}=" for flag in _NOT_FOR_BUILDS)):
            kept.append(word)
    return kept


def arguments(app: str, words: list[str], with_buildkit: bool) -> dict[str, str]:
    """The values of the app's variables that `--build-arg KEY` names, and of no others.

    BuildKit's client reads them from its environment: what it would read for itself stays behind, with a
    warning.
    """
    variables = config.merged(app)
    wanted = [key for key in environments.named(words, "--build-arg") if key in variables]
    for key in [key for key in wanted if with_buildkit and environments.steers(key)]:
        log.warn(f"{key} cannot be handed to BuildKit by name and was left out")
        wanted.remove(key)
    return {key: variables[key] for key in wanted}


def _build(app: str, tree: str, id_file: str, flags: list[str], valued: dict[str, str]) -> None:
    """BuildKit gives labels for nothing. The classic builder makes a layer of each: there they come after.

    Until then the image is a layer among others, shared with any app of the same source: when the last image
    on it goes in that moment, it goes too, and is built again.
    """
    marks, with_buildkit = images.labels(app, NAME), buildx.builds()
    if with_buildkit:
        flags = [f"--build-arg={_OWN_CACHES}={app}", *flags]

    def build() -> str:
        args = (tree, "", id_file, marks if with_buildkit else {}, flags, layers.recorder(app), valued)
        if with_buildkit:
            docker_builds.build(*args, with_buildkit=True)
        else:
            _stubbornly(functools.partial(docker_builds.build, *args, with_buildkit=False))
        signals.failpoint("built")
        return files.read(id_file).strip()

    built = build()
    if with_buildkit:
        docker.tag(built, images.name(app))
        return
    try:
        docker.label(built, images.name(app), marks)
    except ToolFailed:
        if docker.inspect_images(built):
            raise
        docker.label(build(), images.name(app), marks)


def _verify_images(app: str, tree: str, flags: list[str], valued: dict[str, str]) -> None:
    """Raises: DokkuError when the Dockerfile takes something from another app's image."""
    chosen = environments.given(flags, "--file", "-f")
    path = chosen[-1] if chosen else _FILE
    text = files.read(path) if os.path.isabs(path) else files.read_beneath(tree, path)
    if text is None:
        raise DokkuError(f"{values.printable(path)} is no file of the source, or too large")
    pairs = [word.partition("=") for word in environments.given(flags, "--build-arg")]
    said = {key: value for key, equals, value in pairs if equals}
    known = dockerfile_images.uses(text, {**said, **valued}, buildx.builds())
    replaced = [word.partition("=")[0] for word in environments.given(flags, "--build-context")]
    is_fresh = any(flag in ("--pull", "--pull=true") for flag in flags)
    foreign_images.verify(app, known, replaced, is_fresh)


def _stubbornly(build: Callable[..., None]) -> None:
    """Build, and again when somebody removed an image that docker was looking at."""
    for attempt in range(1, docker.ATTEMPTS + 1):
        lost: list[bytes] = []
        try:
            build(complaints=layers.complaints(lost))
        except ToolFailed:
            if not lost or attempt == docker.ATTEMPTS:
                raise
        else:
            return


def _verified(tree: str) -> str:
    """The Dockerfile's text. Raises: DokkuError for what docker's client would read outside the source."""
    for name in _READ_BY_CLIENT:
        is_there = os.path.lexists(os.path.join(tree, name))
        if is_there and files.read_beneath(tree, name) is None:
            raise DokkuError(f"{name} is no file of the source, or too large")
    text = files.read_beneath(tree, _FILE)
    if text is None:
        raise DokkuError("No Dockerfile found in source code directory")
    return text

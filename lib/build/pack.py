"""Cloud Native Buildpacks, built by `pack`; and how what runs in their images is started.

An image has a link /cnb/process/TYPE for each process type it knows, and a launcher for every other command.
Source: dokku v0.24.0 and 0.38 plugins/builder-pack; the Platform API of buildpacks, 0.4 and later.
"""

import functools
import json
import os
from typing import NamedTuple

from lib.app import config, environments, options, processes
from lib.base import files, log, scratch, signals, triggers
from lib.base.errors import DokkuError
from lib.build import foreign_images, images, plan_images, plans, programs
from lib.tools import docker, docker_volumes, pack

NAME = "pack"
LAUNCHER = "/cnb/lifecycle/launcher"
_METADATA = "io.buildpacks.build.metadata"
_VALUED = programs.valued(
    "-b --buildpack -r --buildpack-registry -e --env -t --tag -v --volume",
    "--cache --cache-image --creation-time --env-file --extension --gid --insecure-registry",
    "--lifecycle-image --network --platform --post-buildpack --pre-buildpack --previous-image",
    "--pull-policy --run-image --uid --workspace",
)
_BARE = "--clear-cache --disable-system-buildpacks --trust-builder --trust-extra-buildpacks --userns-host"


class Start(NamedTuple):
    """How a container is started. entrypoint: empty for the image's own."""

    entrypoint: str
    command: list[str]


def build(builder: str, app: str, tree: str) -> None:
    """Build dokku/APP:latest; pack finds the last version under the name that it builds, and takes from it.

    Fires: buildpack-stack-name, pre-build-pack, post-build-pack, and for options docker-args-build and
    docker-args-process-build.
    """
    if builder != NAME:
        return
    chosen = triggers.ask("buildpack-stack-name", app).strip() or os.environ.get("DOKKU_CNB_BUILDER", "")
    log.info1(f"Building {app} from cnb stack {chosen}...")
    programs.verify(NAME)
    plans.verify(NAME, tree)
    foreign_images.verify(app, plan_images.uses(NAME, tree))
    triggers.fire("pre-build-pack", app, tree)
    variables = config.merged(app)
    asked = programs.chosen_options(app, NAME, _VALUED, _BARE.split())
    buildpacks = [f"--buildpack={name}" for name in _buildpacks(variables.get("BUILDPACK_URL", ""), tree)]
    last = images.find(images.name(app))
    with (
        scratch.directory("environment") as place,
        programs.name_beside(app, last.id if last else "") as name,
    ):
        flags = [*asked, *buildpacks, *environments.in_files(variables, place)]
        programs.run_builder(functools.partial(pack.build, chosen), name, tree, flags, {})
        signals.failpoint("built")
        docker.label(_built(name), images.name(app), images.labels(app, NAME))
    signals.failpoint("tagged")
    triggers.fire("post-build-pack", app, tree)


def release(builder: str, app: str, tag: str) -> None:
    """Fires: pre-release-pack, post-release-pack. The labels are on the image since its build."""
    if builder != NAME:
        return
    triggers.fire("pre-release-pack", app, tag)
    triggers.fire("post-release-pack", app, tag)


def forget(app: str) -> None:
    """Drop the volumes in which pack keeps what an app's next build can use."""
    if config.get(app, "DOKKU_APP_TYPE") != NAME:
        return
    prefix = f"pack-cache-dokku_{app}_building-"
    found = [name for name in docker_volumes.named(prefix) if name.startswith(prefix)]
    if not docker_volumes.remove(found):
        log.warn(f"Unable to remove the build cache of {app}: {' '.join(found)}")


def start(app: str, image: images.Image, process: str, port: str) -> Start:
    """How a process type is started: by DOKKU_START_CMD, as the image knows it, or by the Procfile's command.

    Raises: DokkuError for a type that nobody knows.
    """
    own = config.get(app, "DOKKU_START_CMD")
    if own:
        return Start(LAUNCHER, options.words(own))
    if process in _types(image.id):
        return Start(f"/cnb/process/{process}", [])
    command = processes.command(app, process, port)
    if command:
        return Start(LAUNCHER, [command])
    if process == "web":
        return Start("", [])
    raise DokkuError(f"Neither the image {image.name} nor the Procfile has a process type {process}")


def entrypoint_option(app: str, kind: str, tag: str = "", process: str = "", *_: str) -> str:
    """The docker option that a container of an image by pack needs: for a process, or for any command."""
    if kind != NAME:
        return ""
    if process in ("", "_all_"):
        return f" --entrypoint={LAUNCHER}"
    entrypoint = start(app, images.verify(app, tag), process, "").entrypoint
    return f" --entrypoint={entrypoint}" if entrypoint else ""


def _built(name: str) -> str:
    """The id of the image that pack has named. Raises: DokkuError when there is none."""
    image = images.find(name)
    if image is None:
        raise DokkuError(f"pack left no image {name}")
    return image.id


def _buildpacks(url: str, tree: str) -> list[str]:
    """The buildpacks that an app names: in its config, else one a line in .buildpacks."""
    lines = [url] if url else (files.read_beneath(tree, ".buildpacks") or "").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


@functools.cache
def _types(image: str) -> frozenset[str]:
    """The process types that an image has been built with."""
    found = docker.inspect_images(image)
    labels = ((found[0].get("Config") or {}).get("Labels") or {}) if found else {}
    try:
        known = json.loads(labels.get(_METADATA, "{}")).get("processes") or []
        return frozenset(process["type"] for process in known)
    except (ValueError, AttributeError, KeyError, TypeError):
        return frozenset()  # not by buildpacks, whatever the label says

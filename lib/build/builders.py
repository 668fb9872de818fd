"""Which builder turns an app's source into an image, and seeing to it that one did."""

import contextlib
import os
from collections.abc import Iterator

from lib.app import config
from lib.base import files, log, triggers
from lib.base.errors import DokkuError
from lib.build import builder_settings, exposed_ports, herokuish, images, records
from lib.tools import docker

DEFAULT = herokuish.NAME
NULL = "null"  # builds nothing: the image is a plugin's business
_TYPE = "DOKKU_APP_TYPE"


def detect(app: str, tree: str) -> str:
    """The name of the builder: the first that anybody says to builder-detect, in plugin-name order."""
    said = answers(app, tree)
    if said:
        return said[0].said
    chosen = fallback(app)
    if chosen != DEFAULT:
        log.warn(f"Herokuish builder not supported on {os.uname().machine} servers.")
        log.warn(f"Switching to {chosen} builder.")
    return chosen


def fallback(app: str) -> str:
    """The builder of an app when nobody has named one."""
    return DEFAULT if herokuish.is_allowed(app) else "pack"


def answers(app: str, tree: str) -> list[triggers.Answer]:
    """Who names which builder, in plugin-name order; those who name none are left out.

    A script that fails ends the asking, and what it has said counts, as in Dokku.
    Raises: DokkuError for an answer that can't be a builder's name.
    """
    polled = triggers.poll("builder-detect", app, tree)
    if polled and polled[-1].status:
        last = polled[-1]
        log.warn(f"builder-detect of the plugin {last.plugin} failed with {last.status}; no other was asked")
    named = [answer._replace(said=answer.said.strip().split("\n")[0].strip()) for answer in polled]
    found = [answer for answer in named if answer.said]
    for answer in found[:1]:
        builder_settings.verified_name(answer.said)
    return found


def clean(app: str) -> None:
    """Remove what earlier builds of an app left without a name, unless its owner wants it kept."""
    if builder_settings.skips_cleanup(app):
        log.info1("DOKKU_SKIP_CLEANUP set. Skipping dokku cleanup")
        return
    log.info1("Cleaning up...")
    images.remove_unused(app)


def build(app: str, builder: str, tree: str, before: images.Image | None) -> None:
    """Build the image dokku/APP:latest. Raises: DokkuError when nobody did.

    before: the image of that name so far.
    Fires: pre-build, builder-build, post-build. Builders of plugins fire the first and the last themselves.
    """
    _verify_known(app, builder)
    records.note_builder(app, builder)
    with _remembered(app, builder):
        if is_ours(builder):
            triggers.fire("pre-build", builder, app, tree, cwd=tree)
        triggers.fire("builder-build", builder, app, tree)
        after = images.find(images.name(app))
        if after is None or (before is not None and (after.id, after.tagged) == (before.id, before.tagged)):
            raise DokkuError(_nothing_built(app, builder))
        if not images.is_labelled(after, app, builder):  # a plugin left it
            docker.label(after.id, after.name, images.labels(app, builder))
        if is_ours(builder):
            triggers.fire("post-build", builder, app, tree, cwd=tree)


def release(app: str, tag: str) -> None:
    """Make a built image ready to deploy.

    Fires: pre-release-builder, builder-release with the builder that the image names, post-release-builder.
    """
    image = images.verify(app, tag)
    if image.kind == "dockerfile":
        exposed_ports.of_image(app, image.ports)
    builder = built_by(app, image)
    if is_ours(builder):
        triggers.fire("pre-release-builder", builder, app, image.name)
    triggers.fire("builder-release", builder, app, tag)
    if is_ours(builder):
        triggers.fire("post-release-builder", builder, app, image.name)


def built_by(app: str, image: images.Image) -> str:
    """Who built an image: as it says; else the plugin that built the app last; else by its looks."""
    last = config.get(app, _TYPE)
    if image.builder or last in ("", *images.KINDS) or not triggers.has_plugins("builder-release"):
        return image.builder or image.kind
    return last


def is_ours(builder: str) -> bool:
    """Whether a builder is one of those that come with dokku."""
    return f"builder-{builder}" in triggers.core_listeners("builder-build")


def known() -> list[str]:
    """The builders that come with dokku or whose plugins are named after them."""
    named = triggers.listeners("builder-build")
    return [name.removeprefix("builder-") for name in named if name.startswith("builder-")]


def can_build(builder: str) -> bool:
    """Whether somebody here may build with it. A plugin of any name may."""
    return is_ours(builder) or triggers.has_plugins("builder-build")


def has_dockerfile(tree: str) -> bool:
    return files.read_beneath(tree, "Dockerfile") is not None


def wants_herokuish(app: str, tree: str) -> bool:
    """Whether the source asks for herokuish: buildpacks listed, or one named in .env or the config.

    Never where herokuish may not build.
    """
    return herokuish.is_allowed(app) and (
        files.read_beneath(tree, ".buildpacks") is not None
        or "BUILDPACK_URL" in (files.read_beneath(tree, ".env") or "")
        or bool(config.get(app, "BUILDPACK_URL"))
    )


def wants_pack(app: str, tree: str) -> bool:
    """Whether the source asks for Cloud Native Buildpacks."""
    return (
        files.read_beneath(tree, "project.toml") is not None
        or config.get(app, "DOKKU_CNB_EXPERIMENTAL") == "1"
    )


def _verify_known(app: str, builder: str) -> None:
    if builder != NULL and not can_build(builder):
        raise DokkuError(_nothing_built(app, builder), more=(f"Builders here: {', '.join(known())}",))


def _nothing_built(app: str, builder: str) -> str:
    """Why there is no image, as far as it can be known from here."""
    if builder == NULL:
        return f"The builder of {app} is null and builds nothing, and no plugin has left an image"
    if f"builder-{builder}" in triggers.barred("builder-build"):
        return f"Builder {builder} can't build {app}: its plugin's script builder-build is not executable"
    if not can_build(builder):
        return f"Nobody builds {app} with {builder}: is the plugin builder-{builder} installed and enabled?"
    if builder in known():
        return f"Builder {builder} left no image for {app}: {images.name(app)} has to be made anew"
    return f"Builder {builder} left no image for {app}; is the plugin builder-{builder} installed?"


@contextlib.contextmanager
def _remembered(app: str, builder: str) -> Iterator[None]:
    """The builder's name is in the config, where hooks look for it; a failed build puts the last one back."""
    before = config.get(app, _TYPE)
    if before == builder:
        yield
        return
    config.set_values(app, {_TYPE: builder})
    try:
        yield
    except BaseException:
        if before:
            config.set_values(app, {_TYPE: before})
        else:
            config.unset_values(app, [_TYPE])
        raise

"""Which builder turns an app's source into an image, and seeing to it that one did."""

from lib.app import config
from lib.base import files, log, triggers
from lib.base.errors import DokkuError
from lib.build import images

DEFAULT = "herokuish"


def detect(app: str, tree: str) -> str:
    """The name of the builder: the first line that anybody says to builder-detect, in plugin-name order."""
    said = triggers.ask("builder-detect", app, tree).split("\n", 1)[0].strip()
    return said or DEFAULT


def build(app: str, builder: str, tree: str) -> None:
    """Build the image dokku/APP:latest. Raises: DokkuError when nobody did."""
    before = images.find(images.name(app))
    config.set_values(app, {"DOKKU_APP_TYPE": builder})
    triggers.fire("pre-build", builder, app, tree)
    triggers.fire("builder-build", builder, app, tree)
    after = images.find(images.name(app))
    if after is None or (before is not None and (after.id, after.tagged) == (before.id, before.tagged)):
        raise DokkuError(
            f"Builder {builder} left no image for {app}; is the plugin builder-{builder} installed?"
        )
    triggers.fire("post-build", builder, app, tree)


def release(app: str, tag: str) -> None:
    """Make a built image ready to deploy. Fires: builder-release with the builder that the image names."""
    image = images.verify(app, tag)
    _remember_ports(app, image)
    triggers.fire("builder-release", _kind(app, image), app, tag)


def has_dockerfile(tree: str) -> bool:
    return files.read_beneath(tree, "Dockerfile") is not None


def wants_herokuish(app: str, tree: str) -> bool:
    """Whether the source asks for herokuish: buildpacks listed, or one named in .env or the config."""
    return (
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


def _kind(app: str, image: images.Image) -> str:
    """Who releases: what the image says of itself, or a plugin's builder that the app was built with."""
    built_by = config.get(app, "DOKKU_APP_TYPE")
    known = built_by in ("", "dockerfile", "herokuish", "pack")
    return image.kind if known or not triggers.has_plugins("builder-release") else built_by


def _remember_ports(app: str, image: images.Image) -> None:
    """The ports that an image exposes are the app's, unless it has some already."""
    if image.kind == "dockerfile" and image.ports and not config.get(app, "DOKKU_DOCKERFILE_PORTS"):
        config.set_values(app, {"DOKKU_DOCKERFILE_PORTS": " ".join(image.ports)})
        log.debug(f"{app} exposes {image.ports}")

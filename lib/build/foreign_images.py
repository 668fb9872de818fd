"""Images that are not an app's own: a build that would take files from another app's image is refused.

An image is another app's by one of its names, `dokku/APP:TAG`, or by the label that each build puts on it and
that images built on it inherit. One that has no name may be a layer of another app's build.
"""

import re
from collections.abc import Mapping, Sequence

from lib.app import image_names
from lib.base import log, values
from lib.base.errors import DokkuError
from lib.build import builder_settings, dockerfile_images, images
from lib.build.dockerfile_images import Use
from lib.tools import docker

_FRONTENDS = ("docker/dockerfile", "docker/dockerfile-upstream")
_ID = re.compile(r"[0-9a-f]{1,64}")


def verify(app: str, uses: Sequence[Use], replaced: Sequence[str] = (), is_fresh: bool = False) -> None:
    """See to it that a build uses no image of another app, nor by the ONBUILD instructions of a base image.

    replaced: names that build options give another meaning. is_fresh: the build asks registries again.
    An image that is not here comes from its registry, as it would for the build.
    Raises: DokkuError naming the line, unless the app's property allowed-images has the image.
    """
    for use in uses:
        if use.image not in replaced and not builder_settings.allows_image(app, use.image):
            _verify_one(app, use, is_fresh)


def _verify_one(app: str, use: Use, is_fresh: bool) -> None:
    owner = image_names.app_of(use.image)
    if owner not in ("", app):
        raise _refusal(app, use, owner)
    if use.what == "syntax":
        if image_names.repository(use.image) not in _FRONTENDS:
            reason = "names a program that may read every image on this host"
            raise DokkuError(f"{_place(use)} {reason}", more=(_hint(app, use.image),))
        return
    known = _known(use, is_fresh)
    if known is None or not (use.is_sure or _is_named(use.image, known)):  # a stage goes before an id
        return
    marks = (known.get("Config") or {}).get("Labels") or {}
    owners = [marks.get(images.APP_LABEL, ""), *map(image_names.app_of, known.get("RepoTags") or [])]
    for owner in owners:
        if owner not in ("", app) and not builder_settings.allows_image(app, f"dokku/{owner}"):
            raise _refusal(app, use, owner)
    if not _is_named(use.image, known) and marks.get(images.APP_LABEL) != app:
        reason = "names an image by its id, which may be a layer of another app's"
        raise DokkuError(f"{_place(use)} {reason}", more=(_hint(app, use.image),))
    if use.what == "FROM":
        lines = (known.get("Config") or {}).get("OnBuild") or []
        verify(app, [one._replace(line=use.line) for one in dockerfile_images.triggered(lines)])


def _known(use: Use, is_fresh: bool) -> docker.Json | None:
    """What docker knows of an image; None when there is none, and its registry has none."""
    if not values.is_image(use.image) and not _ID.fullmatch(use.image):
        raise DokkuError(f"{_place(use)} is no name of an image")
    found = docker.inspect_images(use.image)
    if (found and not is_fresh) or not use.is_sure or not values.is_image(use.image):
        return found[0] if found else None
    log.verbose(f"Pulling {use.image}")
    try:
        docker.pull(use.image)
    except DokkuError:
        log.debug(f"{use.image} was not pulled")  # the build will say what that means
    found = docker.inspect_images(use.image)
    return found[0] if found else None


def _is_named(name: str, known: Mapping[str, object]) -> bool:
    """Whether docker found an image by a name of it, not by its id."""
    tags = known.get("RepoTags")
    held = [image_names.canonical(str(tag)) for tag in tags] if isinstance(tags, list) else []
    return "@" in name or image_names.canonical(name) in held


def _refusal(app: str, use: Use, owner: str) -> DokkuError:
    return DokkuError(
        f"{_place(use)} is an image of the app {owner}", more=(_hint(app, use.image, f"dokku/{owner}"),)
    )


def _place(use: Use) -> str:
    where = f"Dockerfile, line {use.line}: " if use.line else ""
    return f"{where}{use.what} {values.printable(use.image)[:300]}"


def _hint(app: str, image: str, instead: str = "") -> str:
    name = instead or (image_names.repository(image) if values.is_image(image) else "*")
    return f"To allow that: dokku builder:set {app} allowed-images {name}"

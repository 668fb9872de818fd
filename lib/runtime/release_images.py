"""The images of an app's releases: each has a name of ours for as long as its release is kept."""

import re

from lib.app import apps
from lib.base import log
from lib.base.errors import DokkuError
from lib.build import images
from lib.runtime import containers, release_records
from lib.tools import docker, docker_images

_TAG = "release-v"


def name(app: str, number: int) -> str:
    """The image name that holds a release."""
    return images.name(app, f"{_TAG}{number}")


def verify(app: str) -> images.Image:
    """The image that the app is deployed from. The one that serves gets its name back if that was removed.

    `docker image prune -a` removes the names of what a container uses, but for one, and all other images.
    Raises: DokkuError when docker has no image of the app any more.
    """
    try:
        return images.verify(app)
    except DokkuError as error:
        found = _serving(app) if images.deploying_name(app) == images.name(app) else None
        if found is None:
            hint = ", build it with ps:rebuild" if apps.is_deployed(app) else ""
            raise DokkuError(f"{error.text}{hint}") from error
    log.warn(f"Somebody has removed the name {images.name(app)}, the image that serves gets it again")
    docker.tag(found.id, images.name(app))
    return found._replace(name=images.name(app))


def _serving(app: str) -> images.Image | None:
    """The image of the app's containers, else of its last release."""
    serving = containers.registered(app)
    known = containers.states(serving)
    web_first = sorted(serving, key=lambda container: container.process != "web")
    ids = [known[container.id].image for container in web_first if container.id in known]
    release = release_records.serving(app)
    ids += [release.image] if release and release.image else []
    return next((image for id_ in ids if (image := images.find(id_))), None)


def drop_old(app: str) -> None:
    """Let go of what is no longer kept. The name moves before it goes: docker would stop at a container."""
    spared = {release.number for release in release_records.kept(app)}
    for tag in docker_images.tags(images.name(app, f"{_TAG}*")):
        match = re.fullmatch(rf"{_TAG}([0-9]+)", tag)
        if match and int(match[1]) not in spared:
            if images.find(images.name(app)):
                docker.tag(images.name(app), images.name(app, tag))
            docker.remove_image(images.name(app, tag))
    release_records.drop_old(app, sorted(spared))
    images.remove_unused(app)


def share(old: str, new: str) -> None:
    """Give an app the image that another is deployed from, with its own name and label.

    Raises: DokkuError when there is none.
    """
    docker.label(verify(old).id, images.name(new), {images.APP_LABEL: new})


def copy(old: str, new: str) -> None:
    """Give an app the history of another, whose name it takes over, with the images that are kept.

    They get its label, too: those with the old one go with the old name.
    """
    spared = {release.number for release in release_records.kept(old)}
    for release in release_records.all_(old):
        copied = release_records.without_content(release)
        if release.number in spared:
            with release_records.only_warned(new):
                docker.label(release.image, name(new, release.number), {images.APP_LABEL: new})
                image = images.find(name(new, release.number))
                copied = release._replace(image=image.id) if image else copied
        release_records.write(new, copied._replace(containers=()))

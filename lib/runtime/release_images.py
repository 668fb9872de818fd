"""The images of an app's releases: each has a name of ours for as long as its release is kept."""

import re

from lib.build import images
from lib.runtime import release_records
from lib.tools import docker, docker_images

_TAG = "release-v"


def name(app: str, number: int) -> str:
    """The image name that holds a release."""
    return images.name(app, f"{_TAG}{number}")


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

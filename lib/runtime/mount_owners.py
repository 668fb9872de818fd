"""Whose the mounts are: an app that buildpacks made runs as a user who must be able to write there.

Source: dokku v0.24.0 plugins/scheduler-docker-local, pre-deploy.
"""

import contextlib

from lib.app import config, storage
from lib.base import log, properties, settings, signals, triggers
from lib.base.errors import DokkuError
from lib.build import images
from lib.tools import docker, docker_commit

USER = "herokuishuser"

_GIVE = 'find "$@" ! -user "$0" -exec chown -h "$0" {} +'


def give(app: str, tag: str) -> None:
    """Give what an app's containers are to mount, and may write to, to the user they run as.

    Only for images that herokuish made, and unless property disable-chown forbids it. That it can't be done
    is no reason not to deploy. Fires: storage-list.
    """
    if properties.get("scheduler-docker-local", app, "disable-chown") == "true":
        return
    found = [storage.split(line.strip()) for line in triggers.ask("storage-list", app, "deploy").splitlines()]
    writable = [mount for mount in found if mount.container and "ro" not in mount.options.split(",")]
    image = images.verify(app, tag) if writable else None
    if image is None or image.kind != "herokuish":
        return
    user = config.get(app, "DOKKU_APP_USER") or USER
    try:
        _run_as_root(
            app, image, writable, ["/bin/sh", "-c", _GIVE, user, *(one.container for one in writable)]
        )
    except DokkuError as error:
        log.warn(f"Unable to give the app's mounts to {user}: {error.text or 'find or chown failed'}")


def _run_as_root(app: str, image: images.Image, mounts: list[storage.Mount], command: list[str]) -> None:
    flags = ["--user=0", "--network=none", "--entrypoint=", *(f"--volume={mount}" for mount in mounts)]
    marks = {**settings.LABELS, "com.dokku.app-name": app, "com.dokku.container-type": "peek"}
    container = docker.create("", image.id, command, marks, flags)
    try:
        if docker_commit.run_attached(container):
            raise DokkuError("")
    finally:
        with signals.deferred(), contextlib.suppress(DokkuError):
            docker.remove(container)

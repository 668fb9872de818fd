"""Removing what stopped containers and old images leave. Only what carries our labels is ever touched."""

from lib.base import log
from lib.tools import docker


def clean(app: str = "") -> None:
    """Remove exited and dead containers and unnamed images of an app, or of all apps."""
    log.info1("Cleaning up...")
    mark = f"label=com.dokku.app-name={app}" if app else "label=dokku"
    gone = [
        id_
        for state in ("exited", "dead")
        for id_ in docker.containers("label=dokku", mark, f"status={state}")
    ]
    spared = [id_ for id_ in docker.containers("label=com.dokku.container-type=deploy") if id_ in gone]
    leaving = sorted(set(gone) - set(spared))
    if leaving:
        docker.remove(*leaving)
    docker.prune_images("dangling=true", mark)

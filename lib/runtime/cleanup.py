"""Removing what stopped containers and old images leave. Only what carries an app's label is ever touched.

Containers of service plugins carry the label dokku too: a stopped database is nothing to clean up.
"""

from lib.base import log
from lib.tools import docker


def clean(app: str = "") -> None:
    """Remove exited and dead containers and unnamed images of an app, or of all apps."""
    log.info1("Cleaning up...")
    mark = f"label=com.dokku.app-name={app}" if app else "label=com.dokku.app-name"
    gone = {
        id_
        for state in ("exited", "dead")
        for id_ in docker.containers("label=dokku", mark, f"status={state}")
    }
    leaving = sorted(gone - set(docker.containers("label=com.dokku.container-type=deploy")))
    if leaving:
        docker.remove(*leaving)
    space = docker.prune_images("dangling=true", mark)
    if space:
        log.info1_quiet(f"Removed images that are no longer needed, {space}")

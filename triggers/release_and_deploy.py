"""release-and-deploy APP [TAG [PROCESS]]: make a release of the app's image and deploy it, or one type of it.

Fired by: lib/deploy.py receive, ps:restart, ps:start, ps:scale. An app that has no image yet is left alone;
one that was deployed and has lost its image fails.
"""

from lib import deploy
from lib.app import apps
from lib.build import images
from lib.runtime import release_images, schedulers


def release(app: str, tag: str = "latest", process: str = "", *_: str) -> None:
    if tag in ("", "latest") and not images.find(images.deploying_name(app)):
        if not apps.is_deployed(app) or not schedulers.is_docker_local(schedulers.selected(app)):
            return
        release_images.verify(app)
    deploy.release(app, tag or "latest", process)


HANDLERS = {"common": release}

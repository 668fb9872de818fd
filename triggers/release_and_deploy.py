"""release-and-deploy APP [TAG [PROCESS]]: make a release of the app's image and deploy it, or one type of it.

Fired by: lib/deploy.py receive, ps:restart, ps:start, ps:scale. An app that has no image yet is left alone.
"""

from lib import deploy
from lib.build import images


def release(app: str, tag: str = "latest", process: str = "", *_: str) -> None:
    if images.find(images.deploying_name(app, tag)) or tag not in ("", "latest"):
        deploy.release(app, tag or "latest", process)


HANDLERS = {"common": release}

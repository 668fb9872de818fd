"""release-and-deploy APP [TAG]: make a release of the app's image and deploy it.

Fired by: lib/deploy.py receive, ps:restart, ps:start, ps:scale. An app that has no image yet is left alone.
"""

from lib import deploy
from lib.build import images


def release(app: str, tag: str = "latest", *_: str) -> None:
    if images.find(images.deploying_name(app, tag)) or tag not in ("", "latest"):
        deploy.release(app, tag or "latest")


HANDLERS = {"common": release}

"""What an image's app.json says, on its way into the app."""

from lib.app import app_json, app_json_variables
from lib.build import images, predeploy_layers


def take_over(app: str, tag: str) -> None:
    """Let the app.json of an image that is to be released be the app's, and set what variables it wants.

    What an earlier deploy's predeploy task left on the image goes. Raises: DokkuError for a bad file, or a
    required variable that nobody has set.
    """
    image = images.verify(app, tag)
    adopt(app, image)
    app_json_variables.set_missing(app)
    predeploy_layers.take_off(image)


def adopt(app: str, image: images.Image) -> None:
    """Let the app.json of an image be the app's. Raises: DokkuError for a bad one."""
    app_json.adopt(app, images.read_files(app, image).get("app.json"))

"""What an image's app.json says, on its way into the app."""

from lib.app import app_json, app_json_variables
from lib.build import images


def take_over(app: str, tag: str) -> None:
    """Let the app.json of an image that is about to run be the app's, and set the variables it asks for.

    Raises: DokkuError for a bad file, or a required variable that nobody has set.
    """
    adopt(app, images.verify(app, tag))
    app_json_variables.set_missing(app)


def adopt(app: str, image: images.Image) -> None:
    """Let the app.json of an image be the app's. Raises: DokkuError for a bad one."""
    app_json.adopt(app, images.read_files(app, image).get("app.json"))

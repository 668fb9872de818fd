"""procfile-extract APP IMAGE: keep a copy of the Procfile in an image; drop the last one where there is none.

Fired by: plugins. Stdout: unused. A bad Procfile is status 1 and changes nothing.
"""

from lib.app import processes
from lib.base.errors import DokkuError
from lib.build import images


def extract(app: str, name: str, *_: str) -> None:
    image = images.find(name)
    if image is None:
        raise DokkuError(f"App image ({name}) not found")
    processes.adopt_procfile(app, images.read_files(app, image).get("Procfile"))


HANDLERS = {"ps": extract}

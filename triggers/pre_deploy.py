"""pre-deploy APP TAG: an image is about to run; nothing of it has started. A failure stops the deploy.

Fired by: lib/deploy.py roll_out. Stdout: the user's.
"""

from lib.app import processes
from lib.build import images
from lib.runtime import mount_owners, tasks


def adopt_process_files(app: str, tag: str = "latest", *_: str) -> None:
    found = images.read_files(app, images.verify(app, tag or "latest"))
    processes.adopt_files(app, found.get("Procfile"), found.get("DOKKU_SCALE"))


HANDLERS = {
    "app-json": lambda app, tag="", *_: tasks.run_before(app, tag or "latest"),
    "ps": adopt_process_files,
    "scheduler-docker-local": lambda app, tag="", *_: mount_owners.give(app, tag or "latest"),
}

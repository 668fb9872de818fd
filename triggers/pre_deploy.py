"""pre-deploy APP TAG: an image is about to run; nothing of it has started. A failure stops the deploy.

Fired by: lib/deploy.py roll_out. Stdout: the user's.
"""

from lib.app import app_json, processes
from lib.build import images
from lib.runtime import cron_jobs, mount_owners, tasks


def adopt_process_files(app: str, tag: str = "latest", *_: str) -> None:
    image = images.verify(app, tag or "latest")
    found = images.read_files(app, image)
    processes.adopt_files(app, found.get("Procfile"), found.get("DOKKU_SCALE"))
    if image.kind == "dockerfile":
        processes.warn_if_for_a_shell(app)


def run_tasks(app: str, tag: str = "latest", *_: str) -> None:
    cron_jobs.verify(app_json.cron(app))  # an image may bring an app.json that no source had
    tasks.run_before(app, tag or "latest")


HANDLERS = {
    "app-json": run_tasks,
    "ps": adopt_process_files,
    "scheduler-docker-local": lambda app, tag="", *_: mount_owners.give(app, tag or "latest"),
}

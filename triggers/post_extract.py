"""post-extract APP DIR REVISION: DIR holds the source to be built; change it, or fail to stop the deploy.

Fired by: lib/deploy.py receive. Stdout: the user's.
"""

from lib.app import app_json, processes, source_files
from lib.base import files
from lib.build import buildpacks
from lib.runtime import cron_jobs


def place_procfile(app: str, tree: str, *_: str) -> None:
    processes.parse_procfile(source_files.place(source_files.PROCFILE, app, tree) or "")


def verify_cron(_app: str, tree: str, *_: str) -> None:
    cron_jobs.verify(app_json.cron_in(files.read_beneath(tree, source_files.APP_JSON.name) or ""))


HANDLERS = {
    "app-json": lambda app, tree, *_: app_json.take_from_source(app, tree),
    "buildpacks": lambda app, tree, *_: buildpacks.write_file(app, tree),
    "cron": verify_cron,
    "ps": place_procfile,
}

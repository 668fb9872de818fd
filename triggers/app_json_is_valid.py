"""app-json-is-valid APP PATH: status 0 when a file is an app.json that could be deployed; else why, and 1.

Fired by: plugins. Stdout: unused.
"""

from lib.app import app_json
from lib.base import files
from lib.runtime import cron_jobs


def verify(_app: str, path: str = "", *_: str) -> None:
    app_json.notes(files.read(path))


HANDLERS = {
    "app-json": verify,
    "cron": lambda _app, path="", *_: cron_jobs.verify(app_json.cron_in(files.read(path))),
}

"""app-json-is-valid APP PATH: status 0 when a file is an app.json that could be deployed; else why, and 1.

Fired by: plugins. Stdout: unused.
"""

from lib.app import app_json
from lib.base import files


def verify(_app: str, path: str = "", *_: str) -> None:
    app_json.parse(files.read(path))


HANDLERS = {"app-json": verify}

"""app-json-get-content APP: the deployed version's app.json as plain JSON on one line; {} without one.

Fired by: plugins. Stdout: one line. A file that somebody broke is status 1.
"""

import json

from lib.app import app_json

HANDLERS = {"app-json": lambda app, *_: json.dumps(app_json.content(app)) + "\n"}

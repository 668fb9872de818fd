"""app-json-process-deploy-parallelism APP PROCESS: how many containers of a type to deploy at a time.

Fired by: plugins. Stdout: one number; 1 where app.json does not say.
"""

from lib.app import app_json

HANDLERS = {"app-json": lambda app, process="", *_: f"{app_json.most_at_a_time(app, process) or 1}\n"}

"""config-get APP KEY: the value of an app's variable on stdout without a line end, or nothing.

Fired by: plugins. Stdin: unused. Status 0 also for a variable that is not set, unlike `dokku config:get`.
"""

from lib.app import apps, config


def value(app: str = "", key: str = "", *_: str) -> str:
    return config.get(app, key) if app == config.GLOBAL or apps.exists(app) else ""


HANDLERS = {"config": value}

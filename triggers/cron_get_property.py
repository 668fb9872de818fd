"""cron-get-property APP KEY: a property of cron:set as it counts for an app (0.38).

Fired by: plugins. APP may be --global. Stdout: the value and a line end.
"""

from lib.runtime import cron_settings

HANDLERS = {"cron": lambda app, key="", *_: f"{cron_settings.effective(app, key)}\n"}

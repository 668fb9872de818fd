"""nginx:access-logs and nginx:error-logs: what nginx wrote of an app.

Source: dokku v0.24.0 plugins/nginx-vhosts.
"""

import os

from lib.base.errors import DokkuError
from lib.proxy import nginx_options
from lib.runtime import logs
from lib.tools import tail

LINES = "20"


def show(app: str, kind: str, follow: bool, lines: str) -> None:
    """Print the last lines of an app's log, and with follow whatever comes next, until the reader goes.

    kind: access or error. lines: a count. Raises: DokkuError when there is no log that could be read,
    UsageError for a bad count.
    """
    count = logs.verify_count(lines)
    path = nginx_options.effective(app)[f"{kind}-log-path"]
    if path in ("off", "/dev/null"):
        raise DokkuError(f"{kind} logs are disabled for this app")
    if path.startswith("/dev/"):
        raise DokkuError(f"{kind} logs of this app go to nginx's own {os.path.basename(path)}")
    if follow:
        tail.follow(path, count)
    if not os.path.exists(path):
        raise DokkuError(f"There is no {kind} log of {app} yet: {path}")
    tail.show(path, count)

"""post-deploy APP PORT IP TAG: the new version serves, the old one is about to retire.

Fired by: lib/deploy.py roll_out. Stdout: the user's. A failure fails the deploy: the old one serves again.
"""

from lib.runtime import cron_table, tasks

HANDLERS = {
    "app-json": lambda app, _port="", _ip="", tag="", *_: tasks.run_after(app, tag or "latest"),
    "cron": lambda *_: cron_table.write_all(),
}

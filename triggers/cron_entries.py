"""cron-entries SCHEDULER: what is to be run on schedule besides the apps' own tasks.

Fired by: lib/runtime/cron_table.py. Stdout: lines SCHEDULE;COMMAND[;LOGFILE].
"""

from lib.proxy import acme_renewals

HANDLERS = {"letsencrypt": lambda *_: acme_renewals.entry()}

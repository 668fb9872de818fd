"""cron-write: let the system user's crontab be what the apps and the plugins' cron-entries say.

Fired by: plugins whose cron-entries have changed. Stdout: the user's. Fails when the table can't be written,
and after writing it when an entry made no sense.
"""

from lib.base import log
from lib.base.errors import DokkuError
from lib.runtime import cron_table


def write(*_: str) -> None:
    wrong = cron_table.write(always=True)
    for text in wrong[:-1]:
        log.warn(text)
    if wrong:
        raise DokkuError(wrong[-1])


HANDLERS = {"cron": write}

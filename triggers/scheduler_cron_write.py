"""scheduler-cron-write [SCHEDULER [APP]]: as cron-write, for a scheduler that uses the host's cron (0.36).

Fired by: plugins. Stdout: the user's.
"""

from lib.runtime import schedulers
from triggers.cron_write import write


def write_for(scheduler: str = schedulers.DOCKER_LOCAL, *_: str) -> None:
    if schedulers.is_docker_local(scheduler):
        write()


HANDLERS = {"scheduler-docker-local": write_for}

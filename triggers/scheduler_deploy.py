"""scheduler-deploy SCHEDULER APP TAG [PROCESS]: run a release, or one process type of it.

A handler not addressed does nothing.

Fired by: lib/deploy.py release, `dokku deploy`. Stdout: the user's.
"""

from lib import deploy
from lib.runtime import schedulers


def roll_out(scheduler: str, app: str, tag: str = "latest", process: str = "", *_: str) -> None:
    if schedulers.is_docker_local(scheduler):
        deploy.roll_out(app, tag or "latest", process)


HANDLERS = {"scheduler-docker-local": roll_out}

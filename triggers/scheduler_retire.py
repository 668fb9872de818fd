"""scheduler-retire SCHEDULER [APP]: stop and remove containers whose time has come, replaced or one-off ones.

Fired by: ps:retire, which the host runs every 5 minutes.
"""

from lib.runtime import docker_local, one_off

HANDLERS = {"run": one_off.retire, "scheduler-docker-local": docker_local.retire}

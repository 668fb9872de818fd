"""scheduler-retire SCHEDULER [APP]: stop and remove replaced containers whose time has come.

Fired by: ps:retire, which the host runs every 5 minutes.
"""

from lib.runtime import docker_local

HANDLERS = {"scheduler-docker-local": docker_local.retire}

"""scheduler-stop SCHEDULER APP [REMOVE]: stop everything the app runs; remove it too when REMOVE is true.

Fired by: ps:stop, apps:destroy. A handler not addressed does nothing.
"""

from lib.runtime import docker_local

HANDLERS = {
    "scheduler-docker-local": docker_local.stop,
}

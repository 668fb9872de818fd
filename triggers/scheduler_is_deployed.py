"""scheduler-is-deployed SCHEDULER APP: status 0 when the app has containers, 1 when it has none.

Fired by: plugins. With nobody to answer for a scheduler the status is 0 too.
"""

from lib.runtime import docker_local

HANDLERS = {"scheduler-docker-local": docker_local.verify_deployed}

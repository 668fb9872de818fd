"""scheduler-inspect SCHEDULER APP: a JSON array on the app's containers on stdout, secrets masked.

Fired by: ps:inspect.
"""

from lib.runtime import docker_local

HANDLERS = {"scheduler-docker-local": docker_local.inspect}

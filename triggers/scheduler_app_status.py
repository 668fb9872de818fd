"""scheduler-app-status SCHEDULER APP: `COUNT true`, `COUNT false` or `COUNT mixed` on stdout: do all run?

Fired by: ps:start, ps:report. A handler not addressed says nothing.
"""

from lib.runtime import docker_local

HANDLERS = {"scheduler-docker-local": docker_local.status}

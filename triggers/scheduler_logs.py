"""scheduler-logs SCHEDULER APP PROCESS FOLLOW PLAIN NUMBER: print the last NUMBER lines of each container.

PROCESS: empty for all. FOLLOW, PLAIN: true or false. Fired by: logs. Stdout: the user's.
"""

from lib.runtime import docker_local

HANDLERS = {"scheduler-docker-local": docker_local.show_logs}

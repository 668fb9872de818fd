"""scheduler-logs-failed SCHEDULER APP: print what containers said that failed in a deploy.

Fired by: logs:failed. Stdout: the user's.
"""

from lib.runtime import docker_local

HANDLERS = {"scheduler-docker-local": docker_local.show_failed_logs}

"""check-deploy APP CONTAINER PROCESS PORT IP: whether a new container may serve; a failure stops the deploy.

Fired by: lib/runtime/checks.py, for each container of a deploy and for checks:run. Stdout: the user's.
"""

from lib.runtime import checks

HANDLERS = {"scheduler-docker-local": checks.check}

"""check-deploy APP CONTAINER PROCESS PORT IP INDEX: whether a new container may serve; else the deploy fails.

Fired by: lib/runtime/checks.py, for each container of a deploy and for checks:run, also of several at once.
Stdout: the user's.
"""

from lib.runtime import checks

HANDLERS = {"scheduler-docker-local": checks.check}

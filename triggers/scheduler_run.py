"""scheduler-run SCHEDULER APP COUNT [KEY=VALUE...] [WORD...]: run words in a container of their own.

COUNT: how many KEY=VALUE there are. Without words it is a shell. Environment: DOKKU_DETACH_CONTAINER (not
empty: don't wait, print a name), DOKKU_CRON_ID, DOKKU_CONCURRENCY_POLICY (what to do while another of that id
runs: allow, forbid, replace or empty), DOKKU_RUN_TTL_SECONDS, DOKKU_RUN_TTY (true, false or empty).
Fired by: run, run:detached. Stdin, stdout, stderr, exit status: the program's.
"""

from lib.runtime import one_off

HANDLERS = {"scheduler-docker-local": one_off.run}

"""scheduler-enter SCHEDULER APP [PROCESS[.INDEX] | --container-id ID] [WORD...]: run words in a container.

Without words it is a shell. Fired by: enter. Stdin, stdout, stderr, exit status: the program's.
"""

from lib.runtime import entering

HANDLERS = {"scheduler-docker-local": entering.enter}

"""docker-args-process-deploy APP KIND IMAGE_TAG [PROCESS INDEX]: more options for a container.

Each with its own leading blank. KIND: dockerfile, herokuish or pack. Without PROCESS it is for a task.
Fired by: lib/runtime/launch.py. Stdin: empty.
"""

from lib.build import pack

HANDLERS = {"builder-pack": pack.entrypoint_option}

"""docker-args-process-run APP KIND IMAGE_TAG: more options for a one-off container, each after a blank.

KIND: dockerfile, herokuish or pack. Stdin: empty.
"""

from lib.build import pack

HANDLERS = {"builder-pack": pack.entrypoint_option}

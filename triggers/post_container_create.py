"""post-container-create KIND CONTAINER APP PHASE [PROCESS]: a container is made and has not started.

KIND: app, or service. PHASE: build, deploy, run, or the name of a task. A failure fails what it is made for.
Fired by: lib/build/herokuish.py, lib/runtime/launch.py, one_off.py and tasks.py.
"""

from lib.runtime import attachments

HANDLERS = {"network": attachments.attach_created}

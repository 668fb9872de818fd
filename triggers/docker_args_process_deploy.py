"""docker-args-process-deploy APP KIND IMAGE_TAG [PROCESS INDEX]: more options for a container.

Each with its own leading blank. KIND: dockerfile, herokuish or pack. Without PROCESS it is for a task.
DOKKU_OMIT_RESOURCE_ARGS=1 in the environment leaves limits and reservations out.
Fired by: lib/runtime/launch.py. Stdin: empty.
"""

import os

from lib.app import network_settings, options, resources
from lib.build import pack


def of_type(app: str, _kind: str = "", _tag: str = "", process: str = "", *_: str) -> str:
    return options.spoken(options.lines(app, "deploy", process)) if process else ""


def limits(app: str, _kind: str = "", _tag: str = "", process: str = "", *_: str) -> str:
    if not process or os.environ.get("DOKKU_OMIT_RESOURCE_ARGS") == "1":
        return ""
    return options.spoken(resources.flags(app, process))


def network(app: str, _kind: str = "", _tag: str = "", process: str = "", *_: str) -> str:
    return options.spoken(network_settings.flags(app, "deploy", process))


HANDLERS = {
    "builder-pack": pack.entrypoint_option,
    "docker-options": of_type,
    "network": network,
    "resource": limits,
}

"""docker-args-process-build APP BUILDER: more options for a build, each with its own leading blank.

Limits are those of the process type `build`, as somebody set them for it, where the builder knows them.
DOKKU_OMIT_RESOURCE_ARGS=1 in the environment leaves them out.
Fired by: the builders of lib/build. Stdin: empty.
"""

import os

from lib.app import options, resources


def limits(app: str, builder: str = "", *_: str) -> str:
    if os.environ.get("DOKKU_OMIT_RESOURCE_ARGS") == "1":
        return ""
    return options.spoken(resources.flags_of_build(app, builder))


HANDLERS = {"resource": limits}

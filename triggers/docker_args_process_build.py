"""docker-args-process-build APP BUILDER: more options for a build, each with its own leading blank.

Limits are those of the process type `build`, as somebody set them for it, where the builder knows them.
DOKKU_OMIT_RESOURCE_ARGS=1 in the environment leaves them out.
Fired by: the builders of lib/build. Stdin: empty.
"""

import os

from lib.app import network_settings, options, resources
from lib.tools import buildx


def limits(app: str, builder: str = "", *_: str) -> str:
    if os.environ.get("DOKKU_OMIT_RESOURCE_ARGS") == "1":
        return ""
    return options.spoken(resources.flags_of_build(app, builder))


def network(app: str, builder: str = "", *_: str) -> str:
    """BuildKit knows no networks of docker's, and nixpacks and railpack hand none on."""
    if builder not in ("herokuish", "pack") and (builder != "dockerfile" or buildx.builds()):
        return ""
    return options.spoken(network_settings.flags(app, "build"))


HANDLERS = {"network": network, "resource": limits}

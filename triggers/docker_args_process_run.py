"""docker-args-process-run APP KIND IMAGE_TAG: more options for a one-off container, each after a blank.

KIND: dockerfile, herokuish or pack. Limits and reservations are those of the process type `run`, as somebody
set them for it: the defaults are for what is deployed. Stdin: empty.
"""

from lib.app import network_settings, options, resources
from lib.build import pack


def limits(app: str, *_: str) -> str:
    return options.spoken(resources.flags(app, "run", with_defaults=False))


HANDLERS = {
    "builder-pack": pack.entrypoint_option,
    "network": lambda app, *_: options.spoken(network_settings.flags(app, "run")),
    "resource": limits,
}

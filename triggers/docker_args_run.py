"""docker-args-run APP IMAGE_TAG: options for a one-off container of the app, each with a leading blank.

Stdin: empty. Variables are named, not valued, as in docker-args-deploy.
"""

from lib.app import config, options


def variables(app: str, *_: str) -> str:
    return "".join(f" --env={key}" for key in config.merged(app))


HANDLERS = {
    "config": variables,
    "docker-options": lambda app, *_: "".join(f" {line}" for line in options.lines(app, "run")),
}

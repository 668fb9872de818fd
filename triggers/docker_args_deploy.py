"""docker-args-deploy APP IMAGE_TAG [PROCESS INDEX]: options for a container, each with a leading blank.

Fired by: lib/runtime/launch.py. Stdin: empty. Variables are named, not valued: whoever creates the
container hands their values over in the environment of its docker client, so no argument list holds them.
"""

from lib.app import config, options


def variables(app: str, *_: str) -> str:
    return "".join(f" --env={key}" for key in config.merged(app))


HANDLERS = {
    "config": variables,
    "docker-options": lambda app, *_: options.spoken(options.lines(app, "deploy")),
}

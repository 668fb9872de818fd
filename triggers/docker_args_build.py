"""docker-args-build APP BUILDER: options for the build, each with its own leading blank.

Fired by: the builders of lib/build. Stdin: empty.
"""

from lib.app import docker_options, options


def answer(app: str, builder: str = "", *_: str) -> str:
    return options.spoken(docker_options.for_build(app, builder))


HANDLERS = {"docker-options": answer}

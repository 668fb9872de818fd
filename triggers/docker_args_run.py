"""docker-args-run APP IMAGE_TAG: options for a one-off container of the app, each with a leading blank.

Stdin: empty. Variables are named, not valued, as in docker-args-deploy.
"""

from lib.app import docker_options, options
from triggers.docker_args_deploy import variables

HANDLERS = {
    "config": variables,
    "docker-options": lambda app, *_: options.spoken(docker_options.for_run(app)),
}

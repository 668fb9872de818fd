"""Which scheduler an app uses, and the times that docker-local keeps.

Source: dokku v0.24.0 plugins/common/functions.
"""

import os

from lib.app import config
from lib.base import values

DOCKER_LOCAL = "docker-local"
WAIT_TO_RETIRE = 60  # seconds
STOP_TIMEOUT = 30  # seconds between SIGTERM and SIGKILL


def selected(app: str) -> str:
    """The name of the app's scheduler."""
    return config.effective(app, "DOKKU_SCHEDULER") or DOCKER_LOCAL


def is_docker_local(scheduler: str) -> bool:
    return scheduler == DOCKER_LOCAL


def wait_to_retire(app: str) -> int:
    """How long replaced containers stay up: environment, app, host, 60 seconds."""
    return _seconds(app, "DOKKU_WAIT_TO_RETIRE", WAIT_TO_RETIRE)


def stop_timeout(app: str) -> int:
    return _seconds(app, "DOKKU_DOCKER_STOP_TIMEOUT", STOP_TIMEOUT)


def _seconds(app: str, key: str, otherwise: int) -> int:
    text = os.environ.get(key) or config.effective(app, key)
    return int(text) if values.is_number(text) and int(text) >= 0 else otherwise

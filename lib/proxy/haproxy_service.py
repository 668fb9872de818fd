"""haproxy:start, stop, logs, show-config and validate-config: haproxy itself, and what it was told."""

import os

from lib.base import files, log
from lib.base.errors import DokkuError
from lib.proxy import haproxy_fronts, haproxy_texts, haproxy_vhosts
from lib.runtime import logs
from lib.tools import haproxy, tail

LINES = "100"


def start() -> None:
    """Start haproxy, without the apps it refuses. Raises: DokkuError when it can't start."""
    if haproxy.master(haproxy.ours()):
        log.info1_quiet("haproxy is already running")
        return
    log.info1_quiet("Starting haproxy")
    haproxy_vhosts.start()


def stop() -> None:
    """Stop haproxy: the apps it serves are out of reach until it is started again."""
    if not haproxy.master(haproxy.ours()):
        log.info1_quiet("haproxy is not running")
        return
    log.info1_quiet("Stopping haproxy")
    haproxy_vhosts.stop()


def show_logs(follow: bool, lines: str) -> None:
    """Print the last lines of what haproxy said, and with follow what comes next, until the reader goes."""
    count = logs.verify_count(lines)
    path = haproxy.ours().log
    if follow:
        tail.follow(path, count)
    if not os.path.exists(path):
        raise DokkuError(f"There is no haproxy log yet: {path}")
    tail.show(path, count)


def show_configuration(app: str) -> None:
    """Print the app's part of the configuration, or all of it. Raises: DokkuError when there is none."""
    front = haproxy_fronts.current().get(app)
    if app and front is None:
        raise DokkuError(f"No haproxy configuration exists for {app}")
    text = haproxy_texts.described(front) if front else files.read(haproxy.ours().configuration)
    if not text:
        raise DokkuError("No haproxy configuration exists")
    log.raw(text.encode("utf-8", "surrogateescape"))


def validate() -> None:
    """Say nothing when haproxy could start. Raises: DokkuError with what it has against the configuration."""
    path = haproxy.ours().configuration
    problem = haproxy.problem(path) if os.path.exists(path) else ""
    if problem:
        raise DokkuError(problem)

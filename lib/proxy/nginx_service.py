"""nginx:start, nginx:stop and nginx:reload: the service itself. Source: dokku 0.38 plugins/nginx-vhosts."""

from lib.base import log, retry
from lib.base.errors import DokkuError
from lib.tools import nginx

PATIENCE = 30


def start() -> None:
    """Start nginx. Raises: DokkuError with its words when its configuration keeps it from starting."""
    if nginx.is_running():
        log.info1_quiet("nginx is already running")
        return
    _verify()
    log.info1_quiet("Starting nginx")
    nginx.start()
    _await(True, "nginx did not come up")


def stop() -> None:
    """Stop nginx: nobody is served until it is started again."""
    if not nginx.is_running():
        log.info1_quiet("nginx is not running")
        return
    log.info1_quiet("Stopping nginx")
    nginx.stop()
    _await(False, "nginx did not stop")


def reload() -> None:
    """Have nginx read its configuration again. Raises: DokkuError when it can't, and keeps what it has."""
    _verify()
    log.info1_quiet("Reloading nginx")
    nginx.reload()


def _verify() -> None:
    problem = nginx.problem()
    if problem:
        raise DokkuError(problem)


def _await(running: bool, failure: str) -> None:
    if not retry.until(lambda: nginx.is_running() == running, timeout=PATIENCE, every=0.05):
        raise DokkuError(f"{failure} within {PATIENCE} seconds, see its error log")

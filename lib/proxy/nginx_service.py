"""nginx:start, stop, reload, show-config and validate-config: nginx itself, and what it was told.

Source: dokku v0.24.0 plugins/nginx-vhosts; start, stop and reload: 0.38.
"""

from collections.abc import Sequence

from lib.base import log, retry
from lib.base.errors import DokkuError
from lib.proxy import conf_files, nginx_texts, proxies
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


def show_configuration(app: str) -> None:
    """Print the app's file. Raises: DokkuError when there is none."""
    text = conf_files.current(app)
    if text is None:
        raise DokkuError(f"No nginx.conf exists for {app}")
    log.raw(text.encode("utf-8", "surrogateescape"))


def verify_is_nginx(app: str) -> None:
    """Raises: DokkuError when another proxy than nginx serves the app."""
    if proxies.type_(app) != "nginx":
        raise DokkuError(f"Configured proxy for {app} is {proxies.type_(app)}")


def validate(chosen: Sequence[str], clean: bool) -> None:
    """Say nothing when nginx could start; else show the apps' files that it refuses.

    clean: take these out of its sight. Raises: DokkuError with nginx's words for what is left.
    """
    problem = nginx.problem()
    while problem:
        app = nginx_texts.accused(problem)
        if app not in chosen:
            break
        text = conf_files.current(app)
        if text is None:
            log.warn_quiet(f"No nginx config found for {app}")
            break
        log.warn(f"Failed to validate nginx config for {app}. Contents below...")
        log.note(text)
        if not clean:
            break
        log.warn("Removing invalid nginx file")
        conf_files.quarantine(app)
        problem = nginx.problem()
    if problem:
        raise DokkuError(problem)


def _verify() -> None:
    problem = nginx.problem()
    if problem:
        raise DokkuError(problem)


def _await(running: bool, failure: str) -> None:
    if not retry.until(lambda: nginx.is_running() == running, timeout=PATIENCE, every=0.05):
        raise DokkuError(f"{failure} within {PATIENCE} seconds, see its error log")

"""nginx:show-config and nginx:validate-config. Source: dokku v0.24.0 plugins/nginx-vhosts."""

from collections.abc import Sequence

from lib.base import log
from lib.base.errors import DokkuError
from lib.proxy import conf_files, nginx_texts, proxies
from lib.tools import nginx


def show(app: str) -> None:
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

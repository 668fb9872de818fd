"""The operator's lock on deploys of an app: apps:lock, apps:locked, apps:unlock."""

from lib.base import locks, log
from lib.base.errors import DokkuError


def lock(app: str) -> None:
    """Refuse deploys of the app until it is unlocked, also after a reboot."""
    locks.lock_manually(app)
    log.info1("Deploy lock created")


def tell(app: str) -> None:
    """Say that the app is locked. Raises: DokkuError (1) when it is not."""
    if not locks.is_locked(app):
        raise DokkuError("Deploy lock does not exist")
    log.plain_quiet("Deploy lock exists")


def unlock(app: str) -> None:
    """Let deploys of the app happen again. A deploy under way keeps its own lock and is not stopped."""
    if locks.is_running(app):
        log.warn("A deploy may be in progress.")
        log.warn("Removing the app lock will not stop in progress deploys.")
    if not locks.unlock_manually(app):
        raise DokkuError("Unable to remove deploy lock")
    log.info1("Deploy lock removed")

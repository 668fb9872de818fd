"""Many apps that are about to stop: nobody is led to them any more before the first of them stops."""

import contextlib
from collections.abc import Iterator

from lib.app import apps, network_settings
from lib.base import locks, log, triggers
from lib.base.errors import Locked
from lib.proxy import batching, traffic
from lib.runtime import listeners, schedulers


@contextlib.contextmanager
def closed() -> Iterator[None]:
    """Have every app that can be stopped answer 502 inside the block; one reload for all of them.

    Whoever runs at the end of it all the same (the block was interrupted, say) is served again. An app that
    is being deployed is left out: to stop it fails anyway. Fires: proxy-build-config for those served again.
    """
    with contextlib.ExitStack() as held:
        closing = [app for app in apps.names() if _is_ours(app) and _is_locked(app, held)]
        traffic.close(closing)
        try:
            yield
        finally:
            _open(closing)


def _is_ours(app: str) -> bool:
    """Whether stopping the app takes away what its visitors are led to."""
    is_local = schedulers.is_docker_local(schedulers.selected(app))
    return is_local and apps.is_deployed(app) and not network_settings.listeners(app)


def _is_locked(app: str, held: contextlib.ExitStack) -> bool:
    """Lock an app for the length of the block; whether that was possible."""
    try:
        held.enter_context(locks.deploy(app))
    except Locked:
        return False
    return True


def _open(wanted: list[str]) -> None:
    """Serve those again that run. What can't be done is only told: why the block has ended matters more."""
    with log.only_warned(), batching.batched():
        running = listeners.addresses(wanted)
        for app in (app for app in wanted if running[app]):
            triggers.fire("proxy-build-config", app)

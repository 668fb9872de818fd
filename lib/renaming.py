"""How an app gets another name while it serves: a copy is started, visitors are led to it, the old one goes.

Nothing is built: the copy has the old one's image, config and settings. Until the proxy leads to the copy the
old app serves, and stays if anything fails.
"""

import time

from lib.app import apps
from lib.base import log, signals, triggers
from lib.build import caches
from lib.proxy import traffic
from lib.runtime import release_images, schedulers


def take_over(old: str, new: str, skip_deploy: bool) -> None:
    """Let the copy of an app serve in its place; to be called under the old one's deploy lock.

    Not the app of another scheduler, nor with skip_deploy: those are deployed later. Fires:
    release-and-deploy. Raises: what that raises; the old app serves then.
    """
    if apps.is_deployed(old) and schedulers.is_docker_local(schedulers.selected(old)) and not skip_deploy:
        release_images.share(old, new)
        triggers.fire("release-and-deploy", new)
        with signals.deferred():
            traffic.hand_over(old, new)
        signals.failpoint("handed-over")
        _drain(old)
    caches.move(old, new)


def _drain(old: str) -> None:
    """Let the old containers answer what they were asked before the proxy led elsewhere."""
    wait = schedulers.wait_to_retire(old)
    if wait:
        log.info1(f"Shutting down old containers in {wait} seconds")
        time.sleep(wait)

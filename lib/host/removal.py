"""bin/uninstall: what goes is listed and asked for, then taken away; what bin/install did not make stays."""

import os
import sys

from lib.app import apps
from lib.base import log, run, settings
from lib.base.errors import DokkuError
from lib.host import accounts, front, layout, placed, services, trees, units

LOG = "/var/log/dokku-install.log"  # what apt said to bin/install


def uninstall(purge: bool, is_agreed: bool) -> None:
    """Take away what bin/install put on the host. Services go on running, packages stay.

    purge: the apps, their containers and their data too. is_agreed: do not ask. May be repeated.
    Raises: DokkuError when the answer is no.
    """
    _list(purge)
    if not is_agreed:
        _ask(purge)
    log.info1("Jobs, log rotation, nginx and sudo")
    units.remove()
    front.remove()
    for path in (accounts.SUDOERS, layout.DEFAULTS) if purge else (accounts.SUDOERS,):
        placed.gone(path)
    if purge:
        log.info1("Apps, their containers, data and user")
        _empty_docker()
        accounts.remove()
        layout.remove()
    log.info1("The program")
    trees.remove()
    placed.gone(LOG)
    log.info2("dokku is uninstalled. Packages that bin/install added stay: docker, nginx, git and others")


def _list(purge: bool) -> None:
    """Say what goes and what stays, before anything does."""
    known = apps.names()
    serve = ", ".join(known) if known else "no apps"
    log.info1("This removes")
    log.verbose(f"the program: {trees.HOME}, {', '.join(trees.PROGRAMS)}")
    log.verbose("its jobs, its rules for log rotation and sudo, its part of nginx's configuration")
    if not purge:
        log.verbose(f"It keeps the apps, their data and their containers, which nobody reaches then: {serve}")
        return
    log.verbose(f"the apps, with all their data, containers and images: {serve}")
    log.verbose(f"{settings.root()}, {settings.lib()}, {settings.logs()}, the user {settings.user()}")


def _ask(purge: bool) -> None:
    if not sys.stdin.isatty():
        raise DokkuError("Nothing was removed: without a terminal, agree with --yes")
    word = os.uname().nodename if purge else "yes"
    log.warn(f"To remove all this, type {'the name of this host, ' if purge else ''}{word}")
    log.raw(b"> ")
    if sys.stdin.readline().strip() != word:
        raise DokkuError("Nothing was removed")


def _empty_docker() -> None:
    """Remove all containers, images and networks that carry dokku's label. No docker, none of them."""
    if not services.is_running("docker"):
        return
    for kind, listing, removal in (
        ("container", ["ls", "--all"], ["rm", "--force"]),
        ("image", ["ls"], ["rm", "--force"]),
        ("network", ["ls"], ["rm"]),
    ):
        words = ["docker", kind, *listing, "--quiet", "--filter", "label=dokku"]
        found = sorted(set(run.capture(*words).split()))
        if found:
            run.capture("docker", kind, *removal, *found)
            log.verbose(f"Removed from docker: {len(found)} {kind}s")

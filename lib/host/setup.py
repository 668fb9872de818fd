"""Making a machine a dokku host, in order: what bin/install does once it has an interpreter; and undoing it.

Each step looks first, acts only when something is missing, and says what it did.
"""

import os
import sys

from lib.app import apps
from lib.base import log, run, settings
from lib.base.errors import DokkuError
from lib.host import accounts, front, layout, placed, services, trees, units

LOG = "/var/log/dokku-install.log"  # what apt said to bin/install


def main() -> None:
    """`install TREE DOMAIN`, or `uninstall [--purge]`, as root; exits with the status."""
    try:
        settings.load_host()
        settings.clean_environment()
        os.umask(0o022)
        if sys.argv[1:2] == ["install"]:
            install(*sys.argv[2:])
        else:
            uninstall(purge="--purge" in sys.argv[2:])
    except DokkuError as error:
        log.failure(error)
        sys.exit(error.exit_code)


def install(tree: str, domain: str = "") -> None:
    """Set up the host for the program in this tree, then put that in use.

    domain: apps are named below it; empty keeps the present one, or takes the machine's own name.
    """
    trees.refuse_foreign()
    log.info1("User, directories and settings")
    accounts.set_up()
    layout.set_up(domain)
    accounts.set_up_sudoers()
    log.info1("nginx")
    front.set_up()
    log.info1("Services, jobs and log rotation")
    started = services.set_up()
    units.set_up()
    log.info1("The program")
    trees.switch(tree)
    if "docker" in started:
        _restore(tree)
    log.info2(f"dokku {settings.VERSION} is installed; apps are served below {layout.domain()}")


def uninstall(purge: bool = False) -> None:
    """Take away what install put on the host. purge: the apps, their containers and their data too."""
    log.info1("Jobs, log rotation, nginx and sudo")
    units.remove()
    front.remove()
    for path in (accounts.SUDOERS, layout.DEFAULTS) if purge else (accounts.SUDOERS,):
        placed.gone(path)
    if purge:
        log.info1("Apps, their containers, data and user")
        _empty_docker()
        layout.remove()
        accounts.remove()
    log.info1("Services and the program")
    services.stop_started()
    trees.remove()
    placed.gone(LOG)
    log.info2("dokku is uninstalled. Packages that bin/install added stay: docker, nginx, git and others")
    if not purge:
        log.verbose(
            f"The user {settings.user()} stays, and so do the apps: {settings.root()}, {settings.lib()},"
        )
        log.verbose(f"{settings.logs()} and their containers. bin/uninstall --purge removes those too")


def _restore(tree: str) -> None:
    """Bring apps back that were there before, each as far as it can: that one can't is no failure of ours."""
    if apps.names():
        run.status(os.path.join(tree, "bin", "dokku"), "ps:restore", "--all")


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

"""Making a machine a dokku host, in order: what bin/install does once it has an interpreter.

Each step looks first, acts only when something is missing, and says what it did.
"""

import os
import sys

from lib.app import apps
from lib.base import log, run, settings
from lib.base.errors import DokkuError
from lib.host import accounts, front, layout, removal, services, trees, units


def main() -> None:
    """`install TREE DOMAIN`, or `uninstall [--purge] [--yes]`, as root; exits with the status."""
    try:
        settings.load_host()
        settings.clean_environment()
        os.umask(0o022)
        if sys.argv[1:2] == ["install"]:
            install(*sys.argv[2:])
        else:
            removal.uninstall(purge="--purge" in sys.argv[2:], is_agreed="--yes" in sys.argv[2:])
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


def _restore(tree: str) -> None:
    """Bring apps back that were there before, each as far as it can: that one can't is no failure of ours."""
    if apps.names():
        run.status(os.path.join(tree, "bin", "dokku"), "ps:restore", "--all")

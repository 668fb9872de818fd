"""The directories and first files of an installation, with their modes.

Others may pass through what nginx's workers must reach (0751), and read nothing there.
"""

import os

from lib.app import apps
from lib.base import files, log, run, settings, values
from lib.base.errors import DokkuError
from lib.host import placed

DEFAULTS = "/etc/default/dokku"
CRONTABS = "/var/spool/cron/crontabs"
LOCAL = "dokku.localhost"  # curl and browsers take every name below localhost for this machine

_DEFAULTS_TEXT = """\
# What dokku is told about this host. Shell assignments; root owns this file. Run bin/install after a change.
# export DOKKU_ROOT=/home/dokku            # the apps: git repositories, configuration, certificates
# export DOKKU_LIB_PATH=/var/lib/dokku     # properties, plugins and their data
# export DOKKU_LOGS_DIR=/var/log/dokku
# export DOKKU_WAIT_TO_RETIRE=60           # seconds that replaced containers live on
# export DOCKER_BIN=docker
"""


def set_up(domain: str) -> None:
    """Make every directory and file that is missing, and mend modes.

    domain: the host's own, which apps are named below; empty to keep the present one.
    """
    owner = f"{settings.user()}:{settings.group()}"
    for path, mode, own in _directories(owner):
        placed.directory(path, mode, own)
    placed.first_file(DEFAULTS, _DEFAULTS_TEXT)
    placed.first_file(os.path.join(settings.logs(), "events.log"), "", 0o664, owner)
    placed.first_file(os.path.join(settings.root(), ".ssh", "authorized_keys"), "", 0o600, owner)
    placed.first_file(os.path.join(settings.root(), ".netrc"), "", 0o600, owner)
    placed.file(os.path.join(settings.root(), ".sshcommand"), "/usr/bin/dokku\n", 0o644, owner)
    for name in ("VERSION", "STABLE_VERSION"):
        placed.file(os.path.join(settings.lib(), name), f"{settings.VERSION}\n")
    _name_host(domain, owner)


def remove() -> None:
    """Remove the apps and everything that was kept for them."""
    for app in apps.names():
        for kind in ("access", "error"):
            placed.gone(os.path.join(settings.nginx_logs(), f"{app}-{kind}.log"))
    for path in (settings.root(), settings.lib(), settings.logs(), f"{CRONTABS}/{settings.user()}"):
        placed.gone(path)


def domain() -> str:
    """The domain that apps are named below; empty before the first installation."""
    lines = files.read_lines(os.path.join(settings.root(), "HOSTNAME"))
    return lines[0] if lines else ""


def _directories(owner: str) -> list[tuple[str, int, str]]:
    root, lib, logs = settings.root(), settings.lib(), settings.logs()
    core, plugins = settings.core_plugins(), os.path.dirname(settings.plugins_enabled())
    return [
        (root, 0o751, owner),
        (os.path.join(root, ".ssh"), 0o700, owner),
        (lib, 0o755, placed.ROOT),  # so that what is root's in it cannot be moved away
        (os.path.join(lib, "config"), 0o700, owner),
        (os.path.join(lib, "data"), 0o751, owner),
        (os.path.join(lib, "services"), 0o751, owner),  # where datastore plugins keep theirs
        (os.path.join(lib, "tmp"), 0o700, owner),
        # Root runs what is installed there, when its administrator asks: no file of the system user's.
        *((f"{plugins}{name}", 0o755, placed.ROOT) for name in ("", "/available", "/enabled")),
        *((f"{core}{name}", 0o755, placed.ROOT) for name in ("", "/available", "/enabled")),
        (logs, 0o775, owner),
        (os.path.join(logs, "apps"), 0o775, owner),
    ]


def _name_host(name: str, owner: str) -> None:
    hostname, vhost = (os.path.join(settings.root(), file) for file in ("HOSTNAME", "VHOST"))
    if name and (not values.is_domain(name) or name.startswith("*")):
        raise DokkuError(f"{values.printable(name)} is not a host name that apps can be named below")
    if not name and domain():
        return
    name = name or _own_name()
    placed.file(hostname, f"{name}\n", 0o644, owner)
    if name not in files.read_lines(vhost):
        placed.file(vhost, f"{name}\n", 0o644, owner)
    log.verbose(f"Apps are served below {name}")


def _own_name() -> str:
    try:
        name = run.capture("hostname", "-f", show_errors=False, timeout=10).strip().lower()
    except DokkuError:
        return LOCAL  # the machine's name is in no table
    return name if "." in name and values.is_domain(name) else LOCAL

"""The directories and first files of an installation, with their modes.

What is kept of apps is below a few directories that no other local user can enter. The group of those that
nginx's workers must pass is theirs (0710). What is below needs no mode of its own, and an upgrade no search.
"""

import os

from lib.app import apps
from lib.base import log, run, settings, values
from lib.base.errors import DokkuError
from lib.host import accounts, front, held, made, nginx_logs, placed, ssh_keys

DEFAULTS = "/etc/default/dokku"
_LOGS = f"root:{accounts.LOGS}"
CRONTABS = "/var/spool/cron/crontabs"
_OURS = ("HOSTNAME", "VHOST", "ENV", ".sshcommand")  # in the home, besides the apps and what people put there
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
    if not os.path.isdir(settings.root()):
        made.note(made.HOME)
    for path, mode, own in _directories(owner):
        try:
            placed.directory(path, mode, own)
        except held.UntrustedLink as error:
            log.warn(f"Left alone, as to its mode and owner: {error.text}")
    placed.first_file(DEFAULTS, _DEFAULTS_TEXT)
    for name, mode, own in (
        ("events.log", 0o660, _LOGS),  # syslog's own user is in that group
        ("restore.log", 0o640, owner),
        ("haproxy/haproxy.log", 0o640, owner),
    ):
        placed.first_file(os.path.join(settings.logs(), name), "", mode, own)
    placed.first_file(ssh_keys.path(), "", 0o600, owner)
    _renew_keys(owner)
    placed.first_file(os.path.join(settings.root(), ".netrc"), "", 0o600, owner)
    placed.file(os.path.join(settings.root(), ".sshcommand"), "/usr/bin/dokku\n", 0o644, owner)
    nginx_logs.set_up()
    for name in ("VERSION", "STABLE_VERSION"):
        placed.file(os.path.join(settings.lib(), name), f"{settings.VERSION}\n")
    _name_host(domain, owner)


def remove() -> None:
    """Remove the apps and everything that was kept for them."""
    for app in apps.names():
        for name in nginx_logs.names(app):
            placed.gone(os.path.join(settings.nginx_logs(), name))
        placed.gone(settings.app_dir(app))
    if made.noted(made.HOME):
        placed.gone(settings.root())
    else:
        for name in _OURS:
            placed.gone(os.path.join(settings.root(), name))
        log.verbose(f"{settings.root()} was there before, and stays")
    for path in (settings.logs(), f"{CRONTABS}/{settings.user()}", settings.lib()):
        placed.gone(path)


def domain() -> str:
    """The domain that apps are named below; empty before the first installation."""
    lines = _lines(os.path.join(settings.root(), "HOSTNAME"))
    return lines[0] if lines else ""


def _directories(owner: str) -> list[tuple[str, int, str]]:
    root, lib, logs = settings.root(), settings.lib(), settings.logs()
    workers = front.workers_group()
    passed, nginx = (0o710, f"{settings.user()}:{workers}") if workers else (0o711, owner)
    core, plugins = settings.core_plugins(), os.path.dirname(settings.plugins_enabled())
    return [
        (root, passed, nginx),
        (os.path.join(root, ".ssh"), 0o700, owner),
        (lib, 0o755, placed.ROOT),  # so that what is root's in it cannot be moved away
        (os.path.join(lib, "config"), 0o700, owner),
        (os.path.join(lib, "data"), passed, nginx),
        # Containers leave setuid programs there.
        (os.path.join(lib, "data", "storage"), 0o710 if workers else 0o700, nginx),
        (os.path.join(lib, "services"), 0o750, owner),  # where datastore plugins keep theirs
        (os.path.join(lib, "tmp"), 0o700, owner),
        # Root runs what is installed there, when its administrator asks: no file of the system user's.
        *((f"{plugins}{name}", 0o755, placed.ROOT) for name in ("", "/available", "/enabled")),
        *((f"{core}{name}", 0o755, placed.ROOT) for name in ("", "/available", "/enabled")),
        # Syslog and systemd write there as root: the system user must not be able to put links.
        *((f"{logs}{name}", 0o750, _LOGS) for name in ("", "/haproxy")),
        (os.path.join(logs, "apps"), 0o750, owner),
    ]


def _name_host(name: str, owner: str) -> None:
    hostname, vhost = (os.path.join(settings.root(), file) for file in ("HOSTNAME", "VHOST"))
    if name and (not values.is_domain(name) or name.startswith("*")):
        raise DokkuError(f"{values.printable(name)} is not a host name that apps can be named below")
    if not name and domain():
        return
    name = name or _own_name()
    placed.file(hostname, f"{name}\n", 0o644, owner)
    if name not in _lines(vhost):
        placed.file(vhost, f"{name}\n", 0o644, owner)
    log.verbose(f"Apps are served below {name}")


def _renew_keys(owner: str) -> None:
    """Give the keys of older releases today's forced command."""
    found = (placed.content(ssh_keys.path()) or b"").decode("utf-8", "surrogateescape")
    if ssh_keys.renewed(found) != found:
        placed.file(ssh_keys.path(), ssh_keys.renewed(found), 0o600, owner)


def _lines(path: str) -> list[str]:
    """The lines of a file of the system user, not of one that a link in its place names."""
    return (placed.content(path) or b"").decode("utf-8", "replace").split()


def _own_name() -> str:
    try:
        name = run.capture("hostname", "-f", show_errors=False, timeout=10).strip().lower()
    except DokkuError:
        return LOCAL  # the machine's name is in no table
    return name if "." in name and values.is_domain(name) else LOCAL

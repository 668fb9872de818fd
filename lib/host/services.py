"""The programs a dokku host lives on: started where they do not run, by systemd or their init scripts."""

import functools
import shutil

from lib.base import files, log, procfs, retry, run, settings
from lib.base.errors import DokkuError, ToolFailed
from lib.tools import nginx

NAMES = ("docker", "nginx", "ssh", "cron")
PID_FILES = {"ssh": "/run/sshd.pid", "cron": "/run/crond.pid"}
_PATIENCE = 60


def set_up() -> list[str]:
    """Have all of them running, now and after a reboot; those that had to be started.

    Raises: DokkuError naming the one that does not come up.
    """
    down = [name for name in NAMES if not is_running(name)]
    for name in down:
        log.verbose(f"Starting {name}")
        _start(name)
        if not retry.until(functools.partial(is_running, name), timeout=_PATIENCE, every=0.5):
            raise DokkuError(
                f"{name} did not come up within {_PATIENCE} seconds; its log in /var/log says why"
            )
    return down


def is_running(name: str) -> bool:
    """Whether a service does its work, whoever started it."""
    if name == "docker":
        return run.succeeds("docker", "version", timeout=20)
    if name == "nginx":
        return nginx.is_running()
    if settings.has_systemd():
        units = ("ssh.service", "ssh.socket") if name == "ssh" else (name,)
        return any(run.succeeds("systemctl", "is-active", "--quiet", unit) for unit in units)
    pid = files.read(PID_FILES[name]).strip()
    return pid.isdigit() and procfs.exists(int(pid))


def _start_dockerd() -> None:
    """Start it ourselves: its init script gives up where it may not raise limits, as in many containers."""
    options = ("--background", "--make-pidfile", "--pidfile", "/run/docker-ssd.pid")
    program = shutil.which("dockerd", path=settings.PATH) or "/usr/sbin/dockerd"
    words = ("--output", "/var/log/docker.log", "--startas", program, "--", "--pidfile", "/run/docker.pid")
    run.run("start-stop-daemon", "--start", *options, *words)


def _start(name: str) -> None:
    if settings.has_systemd():
        run.run("systemctl", "enable", "--now", "--quiet", name)
        return
    try:
        run.capture("service", name, "start", show_errors=False)
    except ToolFailed as error:
        if name != "docker":
            raise DokkuError(f"{name} could not be started:", more=tuple(error.text.splitlines())) from error
        _start_dockerd()

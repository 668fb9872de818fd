"""Starting, stopping, restarting, rebuilding and scaling an app, whatever its scheduler.

Each ends in a trigger, so that plugins and other schedulers take part. Source: dokku v0.24.0 plugins/ps.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence

from lib.app import apps, config, process_settings, processes
from lib.base import files, locks, log, settings, triggers, values
from lib.base.errors import DokkuError
from lib.runtime import containers, schedulers


def rebuild(app: str) -> None:
    """Build the app's source again and deploy it. Fires: receive-app."""
    triggers.fire("receive-app", app)


def restart(app: str, process: str = "") -> None:
    """Deploy the app's image again: all of it, or one process type while the others run on.

    Fires: release-and-deploy, for an app that was deployed before. Raises: DokkuError for an unknown type.
    """
    if not _is_deployed(app):
        return
    if process and process not in processes.counts(app):
        raise DokkuError(f"Invalid process type specified ({app}.{values.printable(process)})")
    triggers.fire("release-and-deploy", app, *(["latest", process] if process else []))


def restart_unless_stopped(app: str) -> None:
    """The same, leaving alone an app that ps:stop took down."""
    if not _is_deployed(app) or not process_settings.is_restored(app):
        return
    triggers.fire("release-and-deploy", app)


def start(app: str) -> None:
    """Deploy the app's image unless all of it runs.

    Fires: pre-start, release-and-deploy, proxy-build-config.
    """
    if not _is_deployed(app):
        return
    triggers.fire("pre-start", app)
    running = status(app)[1]
    if running == "mixed":
        log.warn("App is running in mixed mode, releasing")
    if running == "true":
        log.warn(f"App {app} already running")
    else:
        triggers.fire("release-and-deploy", app)
    triggers.fire("proxy-build-config", app)


def stop(app: str) -> None:
    """Stop the app until it is started or deployed again. Fires: scheduler-stop, post-stop.

    Raises: Locked during a deploy.
    """
    if not _is_deployed(app):
        return
    with locks.deploy(app):
        log.plain_quiet(f"Stopping {app}")
        triggers.fire("scheduler-stop", schedulers.selected(app), app)
        triggers.fire("post-stop", app)


def scale(app: str, words: Sequence[str], skip_deploy: bool) -> None:
    """Have so many containers of some types: `web=2 worker=1`. Fires: release-and-deploy, if it was deployed.

    Raises: DokkuError for bad words or a deploy that fails, Locked during one; the counts are as before then.
    """
    changes = processes.verify_counts(app, words)
    log.info1(f"Scaling {app} processes: {' '.join(words)}")
    if skip_deploy or not apps.is_deployed(app):
        processes.set_counts(app, changes)
        return
    with locks.deploy(app), _scaled(app, changes):
        triggers.fire("release-and-deploy", app)


def show_scale(app: str, shape: str = "stdout") -> None:
    """Print how many containers of each type the app is to have."""
    counts = sorted(processes.counts(app).items())
    if shape == "json":
        import json

        log.plain(json.dumps([{"process_type": process, "quantity": count} for process, count in counts]))
        return
    log.info1_quiet(f"Scaling for {app}")
    for process, count in [] if log.is_quiet() else [("proctype", "qty"), ("--------", "---")]:
        log.plain(f"{process}: {count}")
    for process, number in counts:
        log.plain(f"{process + ':':<5} {number}")


def status(app: str) -> tuple[int, str]:
    """How many containers the app has, and whether all run: `true`, `false` or `mixed`."""
    count, _, running = triggers.ask("scheduler-app-status", schedulers.selected(app), app).partition(" ")
    return (int(count) if count.isdigit() else -1), running.strip() or "false"


def retire(app: str = "") -> None:
    """Stop and remove what replaced containers are due, of one app or of all. Fires: scheduler-retire.

    Raises: DokkuError with status 137 when another process is at it.
    """
    with _alone(os.path.join(settings.data("ps"), "retire"), "Failed to acquire ps:retire lock"):
        triggers.fire("scheduler-retire", schedulers.selected(app or config.GLOBAL), *([app] if app else []))


def remember_stopped(app: str) -> None:
    """Let reboots and config changes leave the app down."""
    config.set_values(app, {"DOKKU_APP_RESTORE": "0"})


def remember_running(app: str) -> None:
    """Let reboots bring the app up: it was deployed."""
    if config.get(app, "DOKKU_APP_RESTORE") != "1":
        config.set_values(app, {"DOKKU_APP_RESTORE": "1"})


def _is_deployed(app: str) -> bool:
    if apps.is_deployed(app):
        return True
    log.warn(f"App {app} has not been deployed")
    return False


@contextlib.contextmanager
def _scaled(app: str, changes: dict[str, int]) -> Iterator[None]:
    """Change some counts; when the block fails and other containers do not serve by then, change them back.

    Else a reboot would deploy an app whose containers are all there, and fail at that again.
    """
    before, serving = processes.counts(app), containers.registered(app)
    processes.set_counts(app, changes)
    try:
        yield
    except BaseException:
        if not containers.differ(app, serving):
            processes.set_counts(app, {process: before.get(process, 0) for process in changes})
        raise


@contextlib.contextmanager
def _alone(path: str, refusal: str) -> Iterator[None]:
    files.make_directory(os.path.dirname(path))
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        files.give(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise DokkuError(refusal, exit_code=137) from None
    finally:
        os.close(descriptor)

"""Apps: a directory below DOKKU_ROOT each. Creating, finding, copying, renaming and destroying them."""

import contextlib
import os
import sys
import time
from collections.abc import Callable

from lib.base import files, locks, log, properties, settings, signals, triggers, values
from lib.base.errors import AppNotFound, DokkuError

NONE_YET = "You haven't deployed any applications yet"
TAKEN = "Name is already taken"
TakeOver = Callable[[str, str, bool], None]


def names() -> list[str]:
    """Every app, sorted: directories of DOKKU_ROOT whose names can be app names. Links: see `exists`."""
    try:
        entries = list(os.scandir(settings.root()))
    except FileNotFoundError:
        return []
    return sorted(entry.name for entry in entries if values.is_app_name(entry.name) and _is_app(entry.path))


def exists(app: str) -> bool:
    """Whether there is an app of that name. A link out of DOKKU_ROOT is one only if root made it."""
    return values.is_app_name(app) and _is_app(settings.app_dir(app))


def _is_app(path: str) -> bool:
    if not os.path.isdir(path) or not os.path.islink(path):
        return os.path.isdir(path)
    is_inside = os.path.realpath(path).startswith(os.path.realpath(settings.root()) + os.sep)
    return is_inside or os.lstat(path).st_uid == 0


def verify_app_name(app: str) -> str:
    """The name itself. Raises: AppNotFound (20) for no such app, DokkuError (1) for what can't be a name."""
    if not values.is_app_name(app):
        raise values.bad_app_name(app)
    if not _is_app(settings.app_dir(app)):
        raise AppNotFound(app)
    return app


def chosen(app: str, all_apps: bool) -> list[str]:
    """The apps a command is for: every one with --all, else the one named. Raises: as verify_app_name."""
    return names() if all_apps else [verify_app_name(app)]


def is_deployed(app: str) -> bool:
    """Whether a deploy of the app ever finished: the property, or the container files of older releases."""
    known = properties.get("common", app, "deployed")
    if known:
        return known == "true"
    directory = settings.app_dir(app)
    return os.path.isdir(directory) and any(name.startswith("CONTAINER") for name in os.listdir(directory))


def create(app: str) -> None:
    """Make a new app. Fires: post-create. Raises: DokkuError for a bad or taken name."""
    if not values.is_new_app_name(app):
        raise values.bad_app_name(app)
    try:
        os.mkdir(settings.app_dir(app), 0o711)
        os.chmod(settings.app_dir(app), 0o711)  # nginx's workers pass, and list nothing
    except FileExistsError:
        raise DokkuError(TAKEN) from None
    log.info1_quiet(f"Creating {app}...")
    try:
        files.give(settings.app_dir(app))
        properties.write("apps", app, "created-at", str(int(time.time())))
    except OSError:  # a full disk: the name stays free
        os.rmdir(settings.app_dir(app))
        raise
    triggers.fire("post-create", app)


def create_if_missing(app: str) -> None:
    """Make the app of a first push, unless the host forbids it. Says nothing when it works."""
    if exists(app):
        return
    if not values.is_new_app_name(app):
        raise values.bad_app_name(app)
    if triggers.ask("config-get-global", "DOKKU_DISABLE_APP_AUTOCREATION").strip() == "true":
        raise DokkuError(
            "App auto-creation disabled.",
            more=("Re-enable app auto-creation or create an app with 'dokku apps:create APP'",),
        )
    with log.collected() as said:
        create(app)
    log.debug(f"{app} created, {len(said)} lines unsaid")


def confirm_destruction(name: str, force: bool, kind: str = "app") -> None:
    """Ask for the name of what is to go on stdin, unless forced. Raises: DokkuError for any other answer."""
    if force or settings.is_forced():
        return
    log.warn("WARNING: Potentially Destructive Action")
    log.warn(f"This command will destroy {kind} {name}.")
    log.warn(f'To proceed, type "{name}"')
    log.raw(b"> ")
    answer = sys.stdin.readline()
    if not answer.strip():
        said = "unexpected newline" if answer else "EOF"
        raise DokkuError(said, more=() if sys.stdin.isatty() else ("Without a terminal, give --force",))
    if answer.strip() != name:
        log.note("Confirmation did not match test. Aborted.")
        raise DokkuError("")


def destroy(app: str) -> None:
    """Take an app away with all that belongs to it. May be repeated after a crash.

    Fires: pre-delete, scheduler-stop, scheduler-post-delete, post-delete. Raises: Locked during a deploy.
    """
    log.info1(f"Destroying {app} (including all add-ons)")
    with locks.deploy(app):
        tag = "latest"
        scheduler = triggers.ask("scheduler-detect", app).strip() or "docker-local"
        triggers.fire("pre-delete", app, tag)
        triggers.fire("scheduler-stop", scheduler, app, "true")
        triggers.fire("scheduler-post-delete", scheduler, app, tag)
        signals.failpoint("destroying")
        triggers.fire("post-delete", app, tag)
        files.remove(settings.data("apps", app))
        files.remove(settings.app_dir(app))
    for top in (settings.app_dir(app), *settings.kept_for(app)):
        files.forget_locks(top)


def clone(old: str, new: str, skip_deploy: bool, ignore_existing: bool) -> None:
    """Make a new app with the code and settings of another, and deploy it.

    Fires: post-app-clone-setup, post-app-clone (SKIP_REBUILD=true in the environment skips the deploy).
    """
    if exists(new) and ignore_existing and values.is_new_app_name(new):
        log.warn(TAKEN)
        return
    _verify_new(new)
    log.info1_quiet(f"Cloning {old} to {new}")
    _create_as("post-app-clone-setup", old, new)
    _fire_rebuilding("post-app-clone", old, new, skip_deploy)


def rename(old: str, new: str, skip_deploy: bool, take_over: TakeOver) -> None:
    """Move an app to another name: a copy, which takes over what the old one serves, then the old one goes.

    take_over: called with both names and skip_deploy when the copy is made; when it fails, the old one stays
    as it is. Fires: post-app-rename-setup, what destroy fires, post-app-rename.
    """
    _verify_new(new)
    with locks.deploy(old):
        log.info1_quiet(f"Renaming {old} to {new}")
        _create_as("post-app-rename-setup", old, new, lambda: take_over(old, new, skip_deploy))
        destroy(old)
    _fire_rebuilding("post-app-rename", old, new, skip_deploy)


def _verify_new(new: str) -> None:
    if not new:
        raise DokkuError("Please specify an new app name")
    if not values.is_new_app_name(new):
        raise values.bad_app_name(new)
    if exists(new):
        raise DokkuError(TAKEN)


def _create_as(trigger: str, old: str, new: str, then: Callable[[], None] = lambda: None) -> None:
    """Make an app that is as another; when that fails, half of a copy does not stay in the way."""
    create(new)
    try:
        triggers.fire(trigger, old, new)
        then()
    except BaseException:
        with signals.deferred(), log.collected(), contextlib.suppress(DokkuError):
            destroy(new)
        raise


def _fire_rebuilding(trigger: str, old: str, new: str, skip_deploy: bool) -> None:
    if skip_deploy:
        os.environ["SKIP_REBUILD"] = "true"
    triggers.fire(trigger, old, new)

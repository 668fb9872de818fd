"""The deploy lock: one deploy of an app at a time, and an operator's own lock besides.

The running lock is flock on $DOKKU_ROOT/APP/.deploy.lock, a file that is never unlinked while the app lives;
its content says who, since when and with which command, for people. It dies with its process. The operator's
lock (apps:lock) is a file of its own, data/apps/APP/locked, and stays until apps:unlock.
"""

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator

from lib.base import files, procfs, settings
from lib.base.errors import Locked, mending

_held: dict[str, int] = {}  # app: nesting depth, in this process
_guard = threading.Lock()
TOKENS = "DOKKU_DEPLOY_LOCKS"  # APP=TOKEN words: what a child process of a deploy may enter
INHERITED = "DOKKU_DEPLOY_LOCK_FD"  # an open lock file that git-receive-pack hands to its hook


@contextlib.contextmanager
def deploy(app: str, despite_operator: bool = False) -> Iterator[None]:
    """Nobody else deploys the app inside the block. Nested calls, also in child processes, pass.

    despite_operator: for what brings back no other version than the one an operator froze.
    Raises: Locked at once when somebody does, or when an operator locked the app.
    """
    with _guard:
        nested = app in _held
        if nested:
            _held[app] += 1
    try:
        if nested or _is_ours(app):
            yield
            return
        with _acquired(app, despite_operator):
            yield
    finally:
        if nested:
            with _guard:
                _held[app] -= 1


def is_locked(app: str) -> bool:
    """Whether an operator locked the app, or a deploy is under way."""
    return os.path.exists(manual_path(app)) or is_running(app)


def is_running(app: str) -> bool:
    """Whether some process deploys the app right now."""
    try:
        descriptor = os.open(path(app), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def is_others(app: str) -> bool:
    """Whether a process deploys the app that is neither this one nor above it."""
    with _guard:
        ours = app in _held
    return not ours and is_running(app) and not _is_ours(app)


def holder(app: str) -> tuple[int, str, str]:
    """Who deploys the app right now: its pid, its start as in procfs.started, its command; 0 for nobody."""
    known = _holder(path(app)) if is_running(app) else {}
    pid = known.get("pid", "")
    return int(pid) if pid.isdigit() else 0, known.get("process_start", ""), known.get("command", "")


def lock_manually(app: str) -> None:
    files.replace(manual_path(app), _description(""))


def unlock_manually(app: str) -> bool:
    """Take an operator's lock away; whether there was one."""
    found = os.path.exists(manual_path(app))
    files.remove(manual_path(app))
    return found


def path(app: str) -> str:
    return os.path.join(settings.app_dir(app), ".deploy.lock")


def manual_path(app: str) -> str:
    return os.path.join(settings.data("apps", app), "locked")


def open_for_child(app: str) -> int:
    """An unlocked, inheritable descriptor of the lock file: whoever locks it locks it for this process too.

    git-receive-pack keeps it open until the refs are written, so no second push slips in between.
    """
    descriptor = _open(app)
    os.set_inheritable(descriptor, True)
    return descriptor


@contextlib.contextmanager
def _acquired(app: str, despite_operator: bool) -> Iterator[None]:
    if os.path.exists(manual_path(app)) and not despite_operator:
        raise _refusal(app, manual_path(app))
    inherited = _inherited(app)
    descriptor = _open(app) if inherited is None else inherited
    try:
        if not _taken(descriptor):
            raise _refusal(app, path(app))
        token = os.urandom(16).hex()
        os.ftruncate(descriptor, 0)
        with contextlib.suppress(OSError):  # on a full disk nobody learns who holds it, and it is held
            os.pwrite(descriptor, _description(token).encode(), 0)
        with _guard:
            _held[app] = 1
            _export({app: token})
        try:
            yield
        finally:
            with _guard:
                del _held[app]
                _export({app: ""})
            os.ftruncate(descriptor, 0)
    finally:
        if inherited is None:
            os.close(descriptor)


def _taken(descriptor: int) -> bool:
    """Lock the file for us alone. The glance of an `is_running` is waited for, a deploy is not."""
    for _ in range(50):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        time.sleep(0.01)
    return False


def _open(app: str) -> int:
    try:
        descriptor = files.open_lock(path(app), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise Locked(f"Unable to lock {path(app)}: {error.strerror}{mending(error)}") from error
    files.give(descriptor)
    return descriptor


def _inherited(app: str) -> int | None:
    """The descriptor that git-receive-pack opened for us, if it is this app's lock file."""
    word = os.environ.get(INHERITED, "")
    if not word.isdigit():
        return None
    try:
        ours, there = os.fstat(int(word)), os.stat(path(app))
    except OSError:
        return None
    return int(word) if (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino) else None


def _is_ours(app: str) -> bool:
    """Whether a process above us holds the lock: it told us the token that the lock file holds."""
    token = _tokens().get(app)
    return bool(token) and is_running(app) and _holder(path(app)).get("token") == token


def _tokens() -> dict[str, str]:
    words = (word.partition("=") for word in os.environ.get(TOKENS, "").split())
    return {app: token for app, _, token in words}


def _export(change: dict[str, str]) -> None:
    tokens = {app: token for app, token in {**_tokens(), **change}.items() if token}
    os.environ[TOKENS] = " ".join(f"{app}={token}" for app, token in tokens.items())


def _description(token: str) -> str:
    import json

    who = os.environ.get("SSH_NAME") or "default"
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    command = os.environ.get("DOKKU_COMMAND", "")
    return (
        json.dumps(
            {
                "pid": os.getpid(),
                "process_start": procfs.started(os.getpid()),
                "since": since,
                "user": who,
                "command": command,
                "token": token,
            }
        )
        + "\n"
    )


def _holder(lock_file: str) -> dict[str, str]:
    import json

    with contextlib.suppress(ValueError):
        found = json.loads(files.read(lock_file))
        if isinstance(found, dict):
            return {str(key): str(value) for key, value in found.items()}
    return {}


def _refusal(app: str, lock_file: str) -> Locked:
    holder = _holder(lock_file)
    for _ in range(50):  # whoever just took it is about to say who that is
        if holder:
            break
        time.sleep(0.02)
        holder = _holder(lock_file)
    who = (
        f"Held by {holder['user']} ({holder['command'] or 'dokku'}) since {holder['since']}" if holder else ""
    )
    hint = "Run 'apps:unlock' to release the existing deploy lock"
    if lock_file == path(app):
        hint = f"Wait until it has ended, or run 'builds:cancel {app}' to end it"
    return Locked(
        f"{app} currently has a deploy lock in place. Exiting...",
        more=tuple(filter(None, (who, hint))),
    )

"""Everything a user can see go wrong. Raised where the fact is known, caught only by the entry points."""

import os
from collections.abc import Mapping


class DokkuError(Exception):
    """A refusal or failure with its one line of text (may be empty) and its exit code."""

    exit_code = 1

    def __init__(self, text: str = "", exit_code: int | None = None, more: tuple[str, ...] = ()) -> None:
        """more: further lines, shown after the first."""
        super().__init__(text)
        self.text = text
        self.more = more
        if exit_code is not None:
            self.exit_code = exit_code

    @property
    def lines(self) -> list[str]:
        """All that there is to be said of it; nothing when a program spoke for itself."""
        return [text for text in (self.text, *self.more) if text]


class AppNotFound(DokkuError):
    """A well-formed name of no app. Clients test for status 20 and the end of this text."""

    exit_code = 20

    def __init__(self, app: str) -> None:
        super().__init__(f"App {app} does not exist")


class UsageError(DokkuError):
    """Words the command line parser can't place."""

    exit_code = 2


class Locked(DokkuError):
    """Another process works on the app."""


class NotRunning(DokkuError):
    """What should have taken something over does not run; it finds that on disk when it is started."""


class ArchiveRejected(DokkuError):
    """An archive that nobody should extract. reason: one word, for the audit line."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Transient(DokkuError):
    """A failure that may pass by itself. after: seconds the other side asked for."""

    def __init__(self, text: str = "", exit_code: int | None = None, after: float = 0) -> None:
        super().__init__(text, exit_code)
        self.after = after


class ToolFailed(DokkuError):
    """A program returned a status other than 0. Without text when the program spoke for itself."""

    def __init__(self, program: str, status: int, text: str = "") -> None:
        super().__init__(text, exit_code=status if 0 < status < 256 else 128 + abs(status))
        self.program = program
        self.status = status


class OutputTooLarge(DokkuError):
    """A program wrote more than it may, and was stopped."""

    def __init__(self, program: str, most: int) -> None:
        amount = f"{most // 1024**2} MiB" if most >= 1024**2 else f"{most // 1024} KiB"
        super().__init__(f"{program} wrote more than {amount}; it was stopped")


class TriggerFailed(DokkuError):
    """A plugin's trigger script returned a status other than 0; it spoke for itself."""

    def __init__(self, name: str, plugin: str, status: int) -> None:
        super().__init__("", exit_code=status if 0 < status < 256 else 128 + abs(status))
        self.name = name
        self.plugin = plugin


class AppsFailed(DokkuError):
    """A step for many apps at once that some of them failed. reasons: what went wrong, by app."""

    def __init__(self, text: str, reasons: Mapping[str, str], more: tuple[str, ...] = ()) -> None:
        """more: a line for each app and its reason, if not given."""
        self.reasons = dict(reasons)
        self.by_app = tuple(f"{app}: {reason}" for app, reason in reasons.items())
        super().__init__(text, more=more or self.by_app)


class Interrupted(KeyboardInterrupt):
    """SIGINT, SIGTERM or SIGHUP arrived; exit status 128 + its number."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.exit_code = 128 + number


def reason(error: Exception) -> str:
    """Say in one line why something failed that nothing in the code expected to fail.

    A refusal of the operating system is told by its path and words, and by what mends it where that is known;
    anything else is a bug of ours, and is told by its place in our code.
    """
    if isinstance(error, DokkuError):
        return error.text
    if isinstance(error, OSError) and error.strerror:
        shown = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        return shown + mending(error)
    text = str(error).split("\n")[0]
    return f"A bug of dokku ({_place(error)}){': ' if text else ''}{text}; DOKKU_TRACE=1 shows more"


def mending(error: OSError) -> str:
    """Name the owner of what may not be used, and the command that gives it to us; empty for other errors."""
    place = os.path.abspath(os.fsdecode(error.filename)) if error.filename else "/"
    if not isinstance(error, PermissionError) or place == "/":
        return ""
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    owner, us = os.lstat(place).st_uid, os.geteuid()
    if owner == us:
        return ""
    import shlex

    return f". {place} belongs to {_user(owner)}: chown -R {_user(us)} {shlex.quote(place)}"


def answer_reason(error: Exception) -> str:
    """Say in one line why a server gave no usable answer over HTTP."""
    import http.client

    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.IncompleteRead):
        return "the answer ended too early"
    if isinstance(error, http.client.HTTPException) and not isinstance(
        error, OSError | http.client.InvalidURL
    ):
        return "the answer is not HTTP"
    return getattr(error, "strerror", None) or str(error) or "the connection failed"


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _place(error: Exception) -> str:
    """The innermost line of this project that an error came through."""
    tree = __file__.removesuffix("lib/base/errors.py")
    step, found = error.__traceback__, "unknown place"
    while step:
        name = step.tb_frame.f_code.co_filename
        if name.startswith(tree) and "site-packages" not in name:
            found = f"{name.removeprefix(tree)}, line {step.tb_lineno}"
        step = step.tb_next
    return found

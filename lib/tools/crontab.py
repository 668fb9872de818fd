"""crontab: the table of a user's jobs, read whole and replaced whole."""

from lib.base import run
from lib.base.errors import ToolFailed

_IN_ENGLISH = {"LC_ALL": "C"}


def read(user: str = "") -> str:
    """The table of a user, our own if none is named; empty when there is none.

    Raises: ToolFailed when it can't be read: who took that for an empty one would lose it.
    """
    words = argv(user, "-l")
    done = run.result(*words, env=_IN_ENGLISH, timeout=30)
    if not done.status:
        return done.output.decode("utf-8", "surrogateescape")
    # Debian's cron 3.0pl1 and cronie 1.7 have one status for both
    if done.errors.startswith((b"no crontab for ", b"crontab: no crontab for ")):
        return ""
    raise _failure(words, done)


def replace(table: str, user: str = "") -> None:
    """Let this be the table. Raises: ToolFailed when crontab refuses it; the last one stays then."""
    words = argv(user, "-")
    done = run.result(*words, stdin=table.encode("utf-8", "surrogateescape"), env=_IN_ENGLISH, timeout=30)
    if done.status:
        raise _failure(words, done)


def remove(user: str = "") -> None:
    """Let there be no table."""
    words = argv(user, "-r")
    done = run.result(*words, env=_IN_ENGLISH, timeout=30)
    if done.status:
        raise _failure(words, done)


def argv(user: str, what: str) -> list[str]:
    return ["crontab", *(["-u", user] if user else []), what]


def _failure(words: list[str], done: run.Result) -> ToolFailed:
    said = " ".join(done.errors.decode("utf-8", "replace").split())
    return ToolFailed(words[0], done.status, f"crontab {words[-1]} failed: {said or done.status}")

"""Whether the one who pushes is still there.

git-receive-pack stands between the client and our hook, and tells it nothing: when the client has gone, it
stops reading what the hook says, keeps the pipe open, and waits for the hook. So the hook inherits what git
itself writes to. Seen with git 2.39.
"""

import os
import select

from lib.base import scratch

INHERITED = "DOKKU_PUSHER_FD"


def word_for_child() -> str:
    """For the environment of git-receive-pack: an inheritable copy of our stdout, and which file that is."""
    descriptor = os.dup(1)
    os.set_inheritable(descriptor, True)
    return f"{descriptor}:{_identity(descriptor)}"


def inherited() -> int | None:
    """A descriptor whose other end is the client's; None outside of pushes, and in programs a hook starts."""
    number, _, identity = os.environ.get(INHERITED, "").partition(":")
    try:
        return int(number) if _identity(int(number)) == identity else None
    except (ValueError, OSError, OverflowError):
        return None


def drop_received() -> None:
    """Remove what a client that has gone did send: git, whose last words find no reader, leaves it behind."""
    descriptor, place = inherited(), os.environ.get("GIT_QUARANTINE_PATH", "")
    if descriptor is not None and "incoming-" in os.path.basename(place) and _is_gone(descriptor):
        scratch.remove_tree(place)


def _is_gone(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, 0)
    return bool(poll.poll(0))


def _identity(descriptor: int) -> str:
    status = os.fstat(descriptor)
    return f"{status.st_dev}:{status.st_ino}"

"""grep: whether a text matches an extended regular expression, within bounds of time and memory."""

import os

from lib.base import files, run, scratch
from lib.base.errors import DokkuError

MOST_MEMORY = 256 * 1024 * 1024
_UTF8 = {"LC_ALL": "C.UTF-8"}


class Unusable(DokkuError):
    """A pattern that is no extended regular expression, or needs more time or memory than it may have."""


def matches(pattern: str, text: bytes, timeout: float) -> bool:
    """Whether some part of a text matches; line ends in it are characters like others. timeout: seconds.

    Raises: Unusable.
    """
    with scratch.directory("grep") as place:  # a pattern may hold a secret, which no argument may
        path = os.path.join(place, "pattern")
        files.replace(path, pattern + "\n")
        limits = [f"--as={MOST_MEMORY}", f"--cpu={max(1, int(timeout) + 1)}", "--core=0"]
        argv = ["prlimit", *limits, "--", "grep", "-E", "-a", "-z", "-q", "-f", path]
        try:
            found = run.result(*argv, stdin=text + b"\0", env=_UTF8, timeout=timeout)
        except DokkuError:
            raise Unusable("the regular expression took too long") from None
    if found.status not in (0, 1):
        raise Unusable("it is no extended regular expression, and the text itself is not there")
    return found.status == 0

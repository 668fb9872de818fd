"""unzip: extracting archives that were judged before."""

import os

from lib.base import run
from lib.base.errors import ToolFailed
from lib.tools import prlimit

_WARNED = 1  # all was extracted, something was odd


def extract(archive: str, directory: str, largest: int) -> None:
    """Extract a zip file into an empty directory, without owners and special modes.

    The name of the archive may hold no wildcards, which unzip would expand. largest: bytes that no file may
    exceed. Warnings are no failure: what was extracted is for the caller to compare. Raises: ToolFailed with
    what unzip says.
    """
    literally = ("-V", "-^")  # `a;1` is not version 1 of a, and no byte is dropped
    words = ("unzip", "-qq", "-o", *literally, os.path.basename(archive), "-d", directory)
    env = {"LC_ALL": "C.UTF-8", "UNZIP": None, "UNZIPOPT": None}
    done = run.result(*prlimit.argv(largest, *words), env=env, cwd=os.path.dirname(archive))
    if done.status not in (0, _WARNED):
        raise ToolFailed("unzip", done.status, (done.output + done.errors).decode("utf-8", "replace").strip())

"""git, as it receives something from another machine: watched, and within limits of time and of words.

What it does on this machine alone is in lib/tools/git.py.
"""

import os
import re
import time
from collections.abc import Sequence

from lib.base import run
from lib.base.errors import DokkuError, ToolFailed
from lib.tools import git

_PROGRESS = re.compile(
    r"(remote: )?((Enumerating|Counting|Compressing|Receiving|Unpacking|Finding|Writing) [a-z ]*objects"
    r"|(Resolving|Checking) [a-z ]+): |remote: Total [0-9]+ \(delta"
)
_DEPTH = 10  # levels of submodules
_SHOWN, _LONGEST = 200, 1000  # lines of what git says in a failure, and characters of each
_MESSAGES = 16 * 1024 * 1024  # bytes that a server may tell during one fetch


def fetch(
    repository: str, url: str, refspecs: Sequence[str], env: run.Env, timeout: float, stall: float
) -> run.Result:
    """Fetch from a url what the refspecs name, and no tag besides; nothing prompts.

    timeout: seconds. stall: seconds in which something has to come: a server that is asked for its progress
    is never silent for long. Raises: Transient.
    """
    flags = [
        "--quiet",
        "--progress",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
        "--no-show-forced-updates",
    ]
    words = ["fetch", *flags, "--", url, *refspecs]
    changed = {**git.environment(pushed=False), "LC_ALL": "C", **env}
    return run.result(
        "git", f"--git-dir={repository}", *words, env=changed, timeout=timeout, stall=stall, most=_MESSAGES
    )


def update_submodules(
    tree: str, alternates: str, env: run.Env | None = None, timeout: float = 1800, stall: float = 60
) -> None:
    """Fetch the submodules of a work tree, level by level, over http, https, ssh and git only.

    timeout: seconds for all of it. stall: as for `fetch`. Raises: DokkuError when there are too many levels.
    """
    objects = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates} if alternates else {}
    deadline = time.monotonic() + timeout

    def submodule(parent: str, *words: str) -> str:
        left = max(deadline - time.monotonic(), 0.001)
        argv = ["git", "-C", parent, "submodule", "--quiet", *words]
        changed = {**git.environment(pushed=False), **objects, **(env or {})}
        done = run.result(*argv, env=changed, timeout=left, stall=stall, most=_MESSAGES)
        if done.status:
            raise ToolFailed("git", done.status, told(done.errors))
        return done.output.decode("utf-8", "surrogateescape")

    trees, script = [tree], 'printf "%s\\0" "$toplevel/$sm_path"'
    for _ in range(_DEPTH):
        trees = [parent for parent in trees if os.path.lexists(os.path.join(parent, ".gitmodules"))]
        for parent in trees:
            submodule(parent, "sync")
            submodule(parent, "update", "--init", "--progress")
        listings = [submodule(parent, "foreach", script) for parent in trees]
        trees = [path for listing in listings for path in listing.split("\0") if path]
        if not trees:
            return
    raise DokkuError(f"Submodules are nested more than {_DEPTH} levels deep")


def embedded(repository: str, commit: str) -> list[str]:
    """The paths in a commit at which other repositories stand, of which it holds a name only."""
    argv = ["git", f"--git-dir={repository}", "ls-tree", "-r", "-z", "--end-of-options", commit]
    listing = run.capture(*argv, env=git.environment())
    return [entry.partition("\t")[2] for entry in listing.split("\0") if entry.startswith("160000 ")]


def told(errors: bytes) -> str:
    """The end of what git wrote to stderr, without its and the server's lines of progress."""
    text = errors.decode("utf-8", "replace")
    lines = [
        line.rstrip("\r").rpartition("\r")[2].rstrip()[:_LONGEST] for line in text.rstrip("\n").split("\n")
    ]
    return "\n".join([line for line in lines if not _PROGRESS.match(line)][-_SHOWN:]).strip("\n")

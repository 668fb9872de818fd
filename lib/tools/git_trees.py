"""git: what a commit holds, told entry by entry, however much that is."""

from collections.abc import Callable

from lib.base import run
from lib.tools import git


def list_files(repository: str, commit: str, each: Callable[[int, int], None]) -> None:
    """Call each with the size and the length of the path of every file and directory of a commit."""

    def take(line: bytes) -> None:
        entry, _, path = line.partition(b"\t")
        size = entry.split()[-1]
        each(int(size) if size.isdigit() else 0, len(path))

    words = [f"--git-dir={repository}", "ls-tree", "-r", "-t", "--long", "--end-of-options", commit]
    run.stream("git", *words, each=take, env=git.environment())

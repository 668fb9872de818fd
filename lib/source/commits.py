"""Commits made from a directory: how archives and images become history in an app's repository."""

import os
import time

from lib.base import scratch, values
from lib.base.errors import DokkuError
from lib.source import repos
from lib.tools import git

AUTHOR = ("Dokku", "automated@dokku.sh")


def author(name: str, email: str) -> tuple[str, str]:
    """Who a commit is by: name and e-mail, each Dokku's own where it is empty."""
    return name or AUTHOR[0], email or AUTHOR[1]


def commit_directory(app: str, directory: str, author: tuple[str, str] = AUTHOR) -> str:
    """Store a directory as the next commit after the deploy branch; its id. No branch moves yet.

    All its files count, also those that its own .gitignore names, and so do deletions. Empty when the tree
    equals that of the branch's tip. Raises: DokkuError for an empty directory or an odd author.
    """
    if any(values.has_control_characters(text) or "<" in text or ">" in text for text in author):
        raise DokkuError("Invalid git user name or email")
    if not any(files for _, _, files in os.walk(directory)):
        raise DokkuError("No files found to commit")
    repos.initialize(app)
    repository, parent = repos.path(app), repos.head(app)
    with scratch.directory("commit") as place:
        tree = git.write_tree(repository, os.path.join(place, "index"), directory)
    if parent and git.tree_of(repository, parent) == tree:
        return ""
    message = f"Automated commit @ {int(time.time())}" if parent else "Initial commit"
    return git.commit_tree(repository, tree, parent, message, author)

"""What of a checked out source is built: all of it, or a directory below its top."""

import os

from lib.base import files
from lib.base.errors import DokkuError
from lib.build import builder_settings

_KEPT = ".git"  # there is one only where keep-git-dir asks for it


def enter_build_dir(app: str, tree: str, *_: str) -> None:
    """Make the app's build-dir the whole of its source. Raises: DokkuError when it is not there."""
    chosen = builder_settings.computed(app, "build-dir")
    if not chosen:
        return
    if not _is_directory_in(tree, chosen):
        raise DokkuError(f"Specified build-dir not found in sourcecode working directory: {chosen}")
    aside = f"{tree}.build-dir"
    os.rename(os.path.realpath(os.path.join(tree, chosen)), aside)
    git = os.path.join(tree, _KEPT)
    if os.path.isdir(git) and not os.path.lexists(os.path.join(aside, _KEPT)):
        os.rename(git, os.path.join(aside, _KEPT))
    files.remove(tree)
    os.rename(aside, tree)


def _is_directory_in(tree: str, path: str) -> bool:
    """Whether a path leads to a directory inside the source, whichever links are on the way."""
    top = os.path.realpath(tree)
    found = os.path.realpath(os.path.join(top, path))
    return found != top and os.path.commonpath([top, found]) == top and os.path.isdir(found)

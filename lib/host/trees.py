"""The installed program: one directory per version, and links that say which of them is in use.

What runs during an upgrade goes on in the directory it was started from.
"""

import os

from lib.base import files, run
from lib.base.errors import DokkuError
from lib.host import placed

HOME = "/opt/dokku"
CURRENT = f"{HOME}/current"
PREVIOUS = f"{HOME}/previous"
PROGRAMS = {"/usr/bin/dokku": f"{CURRENT}/bin/dokku", "/usr/bin/plugn": f"{CURRENT}/bin/plugn"}


def refuse_foreign() -> None:
    """Raises: DokkuError when a Debian package owns the program's name: its upgrade would overwrite ours."""
    for path in PROGRAMS:
        if os.path.lexists(path) and not os.path.islink(path) and run.succeeds("dpkg-query", "-S", path):
            raise DokkuError(
                f"{path} belongs to a Debian package. Remove that one first, without --purge: "
                "its apps and their data stay, and are taken over"
            )


def switch(tree: str) -> None:
    """Make this tree the one that runs from now on, in one step; the one before it is kept."""
    before = os.path.realpath(CURRENT)
    if os.path.isdir(before) and before != tree:
        placed.link(PREVIOUS, before)
    placed.link(CURRENT, tree)
    for path, target in PROGRAMS.items():
        placed.link(path, target)
    for name in sorted(_unused()):
        placed.gone(os.path.join(HOME, name))


def remove() -> None:
    """Remove the program, its links and its interpreter."""
    for path, target in PROGRAMS.items():
        if os.path.islink(path) and os.readlink(path) == target:
            placed.gone(path)
    placed.gone(HOME)


def _unused() -> set[str]:
    """Trees that neither link names, and virtualenvs that no remaining tree starts with."""
    kept = {os.path.basename(os.path.realpath(link)) for link in (CURRENT, PREVIOUS)}
    for name in tuple(kept):
        shebang = files.read(os.path.join(HOME, name, "bin", "dokku")).partition("\n")[0]
        kept.add(os.path.basename(os.path.dirname(os.path.dirname(shebang.removeprefix("#!").split(" ")[0]))))
    return {name for name in os.listdir(HOME) if name.startswith(("tree-", "venv-")) and name not in kept}

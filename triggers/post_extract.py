"""post-extract APP DIR REVISION: DIR holds the source to be built; change it, or fail to stop the deploy.

Fired by: lib/deploy.py receive. Stdout: the user's.
"""

from lib.app import processes
from lib.base import files
from lib.build import buildpacks


def verify_procfile(_app: str, tree: str, *_: str) -> None:
    processes.parse_procfile(files.read_beneath(tree, "Procfile") or "")


HANDLERS = {
    "buildpacks": lambda app, tree, *_: buildpacks.write_file(app, tree),
    "ps": verify_procfile,
}

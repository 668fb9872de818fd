"""docker, for images that are made out of containers: copy in, run, commit."""

from collections.abc import Mapping, Sequence

from lib.base import run, settings
from lib.base.errors import ToolFailed
from lib.tools import docker


def copy_tree(tree: str, container: str, path: str) -> None:
    """Copy what a directory holds into a directory of a container, which is made where it is missing."""
    _ask("cp", f"{tree}/.", f"{container}:{path}")


def extract(archive: bytes, container: str) -> None:
    """Extract a tar archive at a container's root. Directories that it does not name stay as they are."""
    _ask("cp", "-", f"{container}:/", stdin=archive)


def run_attached(container: str) -> int:
    """Start a container and show what it says as it says it; its status.

    The client hands a signal on to it, and ends with it.
    """
    return run.status(settings.docker(), "container", "start", "--attach", container)


def commit(container: str, name: str, labels: Mapping[str, str], command: Sequence[str]) -> None:
    """Make an image of a container as it is now. command: what the image runs by itself."""
    import json  # 8 ms

    marks = " ".join(f"{key}={json.dumps(value)}" for key, value in labels.items())
    changes = [f"--change=LABEL {marks}", f"--change=CMD {json.dumps(list(command))}"]
    _ask("commit", *changes, container, name)


def _ask(*words: str, stdin: bytes | None = None) -> None:
    done = run.result(settings.docker(), "container", *words, stdin=stdin, timeout=docker.TRANSFER)
    if done.status:
        text = " ".join(done.errors.decode("utf-8", "replace").split())
        raise ToolFailed(
            "docker", done.status, f"docker {words[0]}: {text.removeprefix('Error response from daemon: ')}"
        )

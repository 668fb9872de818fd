"""What docker's client complains of: what passes for nothing, and what is a failure."""

import re
from collections.abc import Callable

from lib.base import run
from lib.base.errors import DokkuError, ToolFailed

_HARMLESS = (
    *(f"no such {kind}" for kind in ("container", "image", "network", "object", "volume")),
    *("is not running", "container not running"),
    *("cannot update a stopped container", "cannot update a deleted process"),
    *("is already in progress", "is marked for removal", "a prune operation is already running"),
)
_OF_EITHER = b"No such container:path"  # what clients up to 20.10 say of a missing container, too
_NO_FILE = (_OF_EITHER, b"Could not find the file", b"not a directory", b"too many links")  # clients up to 28
_NO_PROGRAM = re.compile(r'exec: "([^"]+)": (?:stat \S+: no such file|executable file not found)')
_OF_SHELLS = ("cd", "exec", "export", "set", "source", ".", "if", "for", "while", "umask", "ulimit", "eval")
_LOST = re.compile(rb"^unable to find image \"sha256:[0-9a-f]+\"", re.MULTILINE)


def verify(done: run.Result, what: str) -> None:
    """Let "there is no such thing" pass, and what a container that stops by itself just then brings about.

    Raises: failure, for anything else.

    docker (20.10 to 28) returns 1 for it as for everything else, so its text decides: every complaint of
    these commands about something missing says `no such`, and the others are its own sentences. Each begins
    with `Error`; those of runc have several lines.
    """
    said = re.split(r"^(?=Error)", done.errors.decode("utf-8", "replace").lstrip(), flags=re.MULTILINE)
    complaints = [text for text in said if text]
    if done.status and not (complaints and all(map(_is_harmless, complaints))):
        raise failure(done, what)


def verify_copy(done: run.Result, container: str, exists: Callable[[], bool]) -> None:
    """Let a file pass that is not in a container. exists: whether the container is there.

    Raises: failure, for anything else.
    """
    if not any(text in done.errors for text in _NO_FILE):
        raise failure(done, "cp")
    if _OF_EITHER in done.errors and not exists():
        raise DokkuError(f"docker cp: No such container: {container}")


def failure(done: run.Result, what: str) -> DokkuError:
    """What docker has to say of a command that failed. what: the command's word, `update`."""
    text = " ".join(done.errors.decode("utf-8", "replace").split())
    if "Cannot connect to the Docker daemon" in text or "error during connect" in text:
        return DokkuError(f"Unable to reach the docker daemon: {text}")
    said = f"docker {what}: {text.removeprefix('Error response from daemon: ')}"
    return ToolFailed("docker", done.status, _on_shells(text) or said)


def _on_shells(text: str) -> str:
    """What to say of a command that only a shell could run, in an image where none does; else nothing."""
    missing = _NO_PROGRAM.search(text)
    program = missing[1] if missing else ""
    if program.rsplit("/", 1)[-1] in ("sh", "bash"):
        return f"The command needs a shell, and the image has no {program}"
    if program in _OF_SHELLS or re.match(r"\w+=", program):
        return f"The command needs a shell for {program}, and none reads it: use sh -c '...'"
    return ""


def has_lost_a_layer(errors: bytes) -> bool:
    """Whether a build failed as an image went that docker was looking at: it works when tried again.

    The classic builder looks through all images on a layer for one to build on, while others remove some.
    """
    return _LOST.search(errors) is not None


def _is_harmless(complaint: str) -> bool:
    return any(text in complaint.lower() for text in _HARMLESS)

"""docker, with its caller at the other end: a program in a container has our stdin, stdout and stderr.

The client hands signals on where there is no terminal; at one, its size and every key.
"""

from collections.abc import Sequence

from lib.base import run, settings

# docker's own keys, Ctrl-P Ctrl-Q, would swallow the Ctrl-P that shells and editors take for "up".
_KEYS = "--detach-keys=ctrl-^,ctrl-@,ctrl-^,ctrl-@"


def start(container: str) -> int:
    """Start a container and stay until it has ended; its status, negative if the client was killed."""
    words = ["container", "start", "--attach", "--interactive", _KEYS, container]
    return run.status(settings.docker(), *words, stdin=run.INHERIT)


def execute(container: str, words: Sequence[str], terminal: bool, directory: str = "") -> int:
    """Run a program in a running container; its status. directory: where, empty for the image's own."""
    flags = [
        "--interactive",
        _KEYS,
        *(["--tty"] if terminal else []),
        *([f"--workdir={directory}"] if directory else []),
    ]
    return run.status(settings.docker(), "container", "exec", *flags, container, *words, stdin=run.INHERIT)

"""docker, asked to run a program beside the others in a container, without anybody at the other end."""

from collections.abc import Sequence

from lib.base import run, settings

MOST = 4 * 1024 * 1024  # bytes of either stream


def execute(container: str, words: Sequence[str], timeout: float, directory: str = "") -> run.Result:
    """What a program in a running container returned. directory: where; empty for the image's own.

    timeout: seconds; the program may go on in the container after them. Raises: DokkuError then, and
    OutputTooLarge.
    """
    place = [f"--workdir={directory}"] if directory else []
    return run.result(
        settings.docker(), "container", "exec", *place, container, *words, timeout=timeout, most=MOST
    )

"""tail: the last lines of a file, and what comes after them."""

from lib.base import run


def show(path: str, lines: int) -> None:
    """Print the last lines. Raises: ToolFailed when tail can't read the file; it has said why."""
    run.run("tail", f"--lines={lines}", "--", path)


def follow(path: str, lines: int) -> None:
    """Become a tail that prints them and then all that comes, whether the file stays, goes or is replaced.

    As there is nobody else, nothing is left when the terminal, the connection or the reader goes.
    """
    run.become("tail", f"--lines={lines}", "--follow=name", "--retry", "--", path)

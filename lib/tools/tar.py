"""tar: extracting archives that were judged before."""

from lib.base import run
from lib.tools import prlimit


def extract(archive: str, directory: str, largest: int) -> None:
    """Extract a tar or tar.gz file into an empty directory, without owners, times and special modes.

    largest: bytes that no file may exceed. Raises: ToolFailed with what tar says.
    """
    words = (
        "tar",
        "--extract",
        f"--file={archive}",
        f"--directory={directory}",
        "--no-same-owner",
        "--no-same-permissions",
        "--delay-directory-restore",
        "--force-local",
        "--touch",
        "--warning=no-unknown-keyword",
    )
    run.capture(*prlimit.argv(largest, *words), env={"LC_ALL": "C.UTF-8"}, show_errors=False)

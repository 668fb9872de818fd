"""tar: extracting archives that were judged before."""

from lib.base import run


def extract(archive: str, directory: str) -> None:
    """Extract a tar or tar.gz file into an empty directory, without owners, times and special modes."""
    run.run(
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
        env={"LC_ALL": "C.UTF-8"},
    )

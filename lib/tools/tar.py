"""tar: extracting archives that were judged before."""

from lib.base import run


def extract(archive: str, directory: str, strip: int) -> None:
    """Extract a tar or tar.gz file into an empty directory, without owners and without special modes."""
    run.run(
        "tar",
        "--extract",
        f"--file={archive}",
        f"--directory={directory}",
        f"--strip-components={strip}",
        "--no-same-owner",
        "--no-same-permissions",
        "--delay-directory-restore",
        "--force-local",
    )

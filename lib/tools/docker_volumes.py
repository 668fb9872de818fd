"""Docker's named volumes, through its client."""

from collections.abc import Sequence

from lib.base import run, settings

QUICK = 30  # seconds


def named(part: str) -> list[str]:
    """The names of the volumes whose name has this part."""
    argv = [settings.docker(), "volume", "ls", "--quiet", f"--filter=name={part}"]
    return run.capture(*argv, timeout=QUICK, show_errors=False).split()


def remove(names: Sequence[str]) -> bool:
    """Remove volumes; False when a container still has one of them. None is success."""
    return not names or run.succeeds(settings.docker(), "volume", "rm", "--", *names, timeout=QUICK * 4)

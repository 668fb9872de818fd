"""How much an archive or a commit may hold and how long a download may take: global properties of git."""

from typing import NamedTuple

from lib.base import properties, values

DEFAULTS = {
    "archive-max-size": 1024**3,  # bytes, of the archive and of its content
    "archive-max-files": 10_000,
    "checkout-max-size": 4 * 1024**3,  # bytes of a commit's files, which are few in the repository
    "checkout-max-files": 500_000,  # and directories
    "fetch-timeout": 1800,  # seconds, for a whole download
    "stall-timeout": 60,  # seconds in which a transfer has to get on
    "retry-timeout": 60,  # seconds, after which no new attempt begins
}

MOST_SECONDS = 7 * 24 * 3600


class Limits(NamedTuple):
    """size: bytes. files: entries."""

    size: int
    files: int


def of_archives() -> Limits:
    """What an archive may hold at most."""
    return Limits(value("archive-max-size"), value("archive-max-files"))


def of_checkouts() -> Limits:
    """What the files of a commit may be at most."""
    return Limits(value("checkout-max-size"), value("checkout-max-files"))


def value(key: str) -> int:
    """One of DEFAULTS, as the host has it."""
    text = properties.get("git", properties.GLOBAL, key)
    number = int(text) if values.is_number(text) and int(text) > 0 else DEFAULTS[key]
    return min(number, MOST_SECONDS) if key.endswith("-timeout") else number

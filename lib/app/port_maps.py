"""One entry of a port map, `scheme:host-port:container-port`: its parts, its text, what is spoken there."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lib.base import values
from lib.base.errors import DokkuError

SCHEMES = {"http": False, "https": True, "grpc": False, "grpcs": True}  # whether it needs a certificate

_WORD = re.compile(r"[a-z][a-z0-9]*")


class PortMap(NamedTuple):
    scheme: str
    host: int
    container: int

    def __str__(self) -> str:
        return f"{self.scheme}:{self.host}:{self.container}"

    @property
    def is_secure(self) -> bool:
        return SCHEMES[self.scheme]


def parse(text: str) -> PortMap:
    """One entry of a map. Raises: DokkuError saying what is wrong with it."""
    parts = text.split(":")
    fault = f"Invalid port map {values.printable(text)}"
    if len(parts) != 3:
        raise DokkuError(f"{fault} [len={len(parts)}]")
    for part, name in zip(parts[1:], ("hostPort", "containerPort"), strict=True):
        if not values.is_number(part):
            raise DokkuError(f"{fault} [err={values.printable(part)!r} is not a number]")
        if not values.is_port(part):
            raise DokkuError(f"{fault} [{name}={part}]")
    if not _WORD.fullmatch(parts[0]) or parts[0] not in SCHEMES:
        raise DokkuError(f"{fault} [scheme={values.printable(parts[0])}]")
    return PortMap(parts[0], int(parts[1]), int(parts[2]))


def of_words(words: Iterable[str]) -> list[PortMap]:
    """The words of a file that are entries, each once, sorted as text; people edit files."""
    found = set()
    for word in words:
        try:
            found.add(parse(word))
        except DokkuError:
            continue
    return sorted(found, key=str)


def as_text(entries: Sequence[PortMap], shape: str) -> str:
    """A map for programs: one entry per line, or (json) an array of objects."""
    if shape != "json":
        return "".join(f"{entry}\n" for entry in entries)
    import json

    keys = ("scheme", "host_port", "container_port")
    return (
        json.dumps([dict(zip(keys, entry, strict=True)) for entry in entries], separators=(",", ":")) + "\n"
    )


def refuse_doubles(entries: Iterable[PortMap]) -> None:
    """Raises: DokkuError when one scheme and host port would lead to two places."""
    seen = set()
    for entry in entries:
        key = f"{entry.scheme}:{entry.host}"
        if key in seen:
            reason = f"The same scheme:host-port is being reused: {key}"
            raise DokkuError(f"Error validating new port mappings: {reason}")
        seen.add(key)

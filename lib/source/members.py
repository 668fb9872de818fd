"""What an archive holds, as its headers say, and the rules that hold for members of every kind of archive."""

import os
import re
from typing import NamedTuple

from lib.base import values
from lib.base.errors import ArchiveRejected
from lib.source.limits import Limits

CHUNK = 1024 * 1024
_ESCAPE = "Archive contains symlinks pointing outside extraction directory"


class Member(NamedTuple):
    """kind: file, dir or link. size: bytes of a file. target: what a link points to."""

    kind: str
    size: int = 0
    target: str = ""


DIRECTORY = Member("dir")


def add(found: dict[str, Member], name: str, member: Member) -> None:
    """Note a member under its normal name, and the directories above it. Raises: ArchiveRejected.

    Of files and directories of one name the last counts, as for those who extract them.
    """
    parents = ["/".join(name.split("/")[:depth]) for depth in range(1, name.count("/") + 1)]
    same = found.get(name, member).kind == member.kind
    if not same or any(found.get(parent, DIRECTORY).kind != "dir" for parent in parents):
        raise ArchiveRejected(
            "conflict", f"Archive contains conflicting entries for {values.printable(name)}"
        )
    found.update({name: member, **dict.fromkeys(parents, DIRECTORY)})


def normal_name(name: str) -> str:
    """A name without needless parts. Raises: ArchiveRejected for what no file should be called."""
    sizes = [len(os.fsencode(part)) for part in name.split("/")]
    if values.has_control_characters(name) or not name or max(sizes) > 255 or sum(sizes) > 3500:
        raise unsupported(name)
    return os.path.normpath(name)


def is_absolute(name: str) -> bool:
    """Whether this is an absolute path here or on Windows."""
    return name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[/\\]", name) is not None


def has_parent(name: str) -> bool:
    """Whether a part of this path is `..`, here or on Windows."""
    return ".." in re.split(r"[/\\]", name)


def judge_target(name: str, target: str) -> None:
    """Raises: ArchiveRejected for the target of a link that no link may have."""
    if not target or values.has_control_characters(target) or len(os.fsencode(target)) > 4095:
        raise unsupported(name)
    if target.startswith("/"):
        raise ArchiveRejected("absolute_symlink", "Archive contains symlinks with absolute targets")


def judge_amount(size: int, count: int, limits: Limits) -> None:
    """Raises: ArchiveRejected for more bytes or more entries than an archive may hold."""
    if size > limits.size:
        raise ArchiveRejected("size", f"Archive exceeds maximum allowed size of {limits.size} bytes")
    if count > limits.files:
        text = f"Archive contains {count} entries which exceeds the maximum of {limits.files}"
        raise ArchiveRejected("file_count", text)


def judge_whole(found: dict[str, Member]) -> str:
    """The one directory that holds all the others, empty if there is none, which links may not leave.

    Raises: ArchiveRejected for an archive without files, and for links that lead out.
    """
    if all(member.kind == "dir" for member in found.values()):
        raise ArchiveRejected("empty", "Archive contains no files")
    tops = {name.split("/", 1)[0] for name in found} - {"."}
    only = tops.pop() if len(tops) == 1 else ""
    top = only if found.get(only) == DIRECTORY and not values.is_git_directory(only) else ""
    for name, member in found.items():
        if member.kind == "link":
            _judge_link(name.removeprefix(f"{top}/"), member.target)
    return top


def unsupported(name: str) -> ArchiveRejected:
    """The refusal of a member of a kind, or of a name, that we don't extract."""
    text = f"Archive contains unsupported entry {values.printable(name)[:300]}"
    return ArchiveRejected("unsupported_entry", text)


def conflicting(name: str) -> ArchiveRejected:
    """The refusal of two members that can't both be there."""
    return ArchiveRejected("conflict", f"Archive contains conflicting entries for {values.printable(name)}")


def escaping() -> ArchiveRejected:
    """The refusal of a link that leads out of its archive."""
    return ArchiveRejected("symlink_escape", _ESCAPE)


def different() -> ArchiveRejected:
    """The refusal of an archive that lies about itself."""
    return ArchiveRejected("mismatch", "Archive contains something else than its headers say")


def _judge_link(name: str, target: str) -> None:
    """A symbolic link may only point inside the tree, whichever way it is resolved."""
    inside = os.path.normpath(os.path.join(os.path.dirname(name), target)).split("/")
    if inside[0] == ".." or any(map(values.is_git_directory, inside)):
        raise escaping()

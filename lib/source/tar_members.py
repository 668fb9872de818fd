"""The members of a tar archive, plain or compressed by gzip: judged one by one, nothing is extracted."""

from collections.abc import Iterable
from typing import Any

from lib.base.errors import ArchiveRejected
from lib.source import members
from lib.source.limits import Limits
from lib.source.members import Member

_BLOCK = 512  # what a tar archive is made of; one of zeros ends it


def listed(path: str, compressed: bool, limits: Limits) -> dict[str, Member]:
    """Every member by its normal name, and the directories above it. Raises: ArchiveRejected."""
    import gzip
    import tarfile  # 22 ms
    import zlib

    limit = 16 * members.CHUNK + 8 * _BLOCK * limits.files
    try:
        with open(path, "rb") as file:
            headers = _Headers(gzip.GzipFile(fileobj=file) if compressed else file, limit)
            archive: Any = tarfile.TarFile(fileobj=headers)  # type: ignore[arg-type]
            found = _judged(archive, limits)
            headers.seek(archive.offset)  # where tarfile found no more headers
            if headers.read(_BLOCK) != bytes(_BLOCK):
                raise damaged()
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, ArithmeticError, RecursionError):
        raise damaged() from None
    return found


def starts_here(head: bytes) -> bool:
    """Whether these bytes are the header of a tar archive, or its end, whatever else they look like."""
    import tarfile

    try:
        tarfile.TarInfo.frombuf(head[:_BLOCK], "utf-8", "surrogateescape")
    except tarfile.TarError:
        return head[:_BLOCK] == bytes(_BLOCK)
    return True


def damaged() -> ArchiveRejected:
    """The refusal of what is no tar archive, or not all of one."""
    return ArchiveRejected("malformed", "Archive does not look like a tar archive, or is cut off")


class _Headers:
    """An archive without the content of its members: what describes them is read within a limit.

    Headers name their own size, and tarfile believes them.
    """

    def __init__(self, file: Any, limit: int) -> None:
        self._file, self._left = file, limit

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self._left:
            raise ArchiveRejected("headers", "Archive contains headers of an unreasonable size")
        self._left -= size
        return bytes(self._file.read(size))

    def seek(self, position: int) -> int:
        return int(self._file.seek(position))

    def tell(self) -> int:
        return int(self._file.tell())


def _judged(archive: Iterable[Any], limits: Limits) -> dict[str, Member]:
    found: dict[str, Member] = {}
    size = 0
    for count, info in enumerate(archive, start=1):
        members.judge_amount(size + max(info.size, 0), count, limits)
        name = _judged_name(info.name)
        member = _judged_member(info, found)
        if name == "." and member.kind != "dir":
            raise members.unsupported(info.name)
        size += member.size  # a link to a file is one more file for whoever reads the tree
        members.judge_amount(size, count, limits)
        members.add(found, name, member)
    return found


def _judged_member(info: Any, found: dict[str, Member]) -> Member:
    """Only files have content: programs differ on whether to skip it behind other members."""
    if info.isreg() and info.size >= 0:
        return Member("file", info.size)
    if info.size == 0 and info.islnk():
        linked = found.get(_judged_name(info.linkname))
        if linked and linked.kind == "file":
            return linked
    if info.size == 0 and info.issym():
        members.judge_target(info.name, info.linkname)
        return Member("link", target=info.linkname)
    if info.size == 0 and info.isdir():
        return members.DIRECTORY
    raise members.unsupported(info.name)


def _judged_name(name: str) -> str:
    if members.is_absolute(name):
        raise ArchiveRejected("absolute_path", "Archive contains entries with absolute paths")
    if members.has_parent(name):
        raise ArchiveRejected("path_traversal", "Archive contains entries with parent directory traversal")
    if "\\" in name:
        raise members.unsupported(name)
    return members.normal_name(name)

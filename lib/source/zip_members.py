"""The members of a zip archive, judged one by one, nothing is extracted.

A zip archive says most things twice, and programs differ on which they believe. Here both must agree: the
central directory, which ends the file, with the header before each content, and that content with both. No
two contents share a byte, so that a small archive can't hold a large one over and over.
Source: APPNOTE.TXT 6.3.10 of PKWARE; Info-ZIP UnZip 6.00 extrafld.txt for names in UTF-8.
"""

import os
import stat
import struct
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

from lib.base import files, values
from lib.base.errors import ArchiveRejected
from lib.source import members
from lib.source.limits import Limits
from lib.source.members import Member

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_WIDE_END = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _SIZES_FOLLOW, _UTF8 = 1 << 0, 1 << 3, 1 << 11
_PATCHED, _STRONG, _MASKED = 1 << 5, 1 << 6, 1 << 13
_AGREED = _ENCRYPTED | _PATCHED | _STRONG | _MASKED | _UTF8  # flags that both headers must share
_WIDE_EXTRA, _NAME_EXTRA = 0x0001, 0x7075
_DOS, _NTFS = 0, 11
_DOS_HOSTS = (_DOS, 6, _NTFS)  # whose names are in a code page that nobody wrote down, unless in UTF-8
_MOST = 0xFFFFFFFF  # a number of 32 bits that is found elsewhere, in 64


class _Entry(NamedTuple):
    """One line of the central directory. at: where it is; raw: its name as it is there."""

    at: int
    raw: bytes
    name: str
    host: int
    flags: int
    method: int
    checksum: int
    packed: int
    size: int
    attributes: int
    offset: int


def listed(path: str, limits: Limits) -> dict[str, Member]:
    """Every member by its normal name, and the directories above it; the file is made fit for unzip.

    Raises: ArchiveRejected.
    """
    try:
        with open(path, "rb") as file:
            count, start, end = _directory(file)
            members.judge_amount(0, count, limits)
            entries = list(_entries(file, count, start, end))
            members.judge_amount(sum(entry.size for entry in entries), count, limits)
            found = _judged(file, entries, _starts(file, entries, start))
        files.patch(path, dict(change for entry in entries for change in _changes(entry)))
        return found
    except (struct.error, zlib.error, OSError, ValueError, ArithmeticError):
        raise damaged() from None


def damaged() -> ArchiveRejected:
    """The refusal of what is no zip archive, or not all of one."""
    return ArchiveRejected("malformed", "Archive does not look like a zip archive, or is cut off")


def _directory(file: IO[bytes]) -> tuple[int, int, int]:
    """How many entries the central directory has, where it starts and where it ends."""
    length = file.seek(0, os.SEEK_END)
    tail = _read(file, max(0, length - _END.size - 0xFFFF), min(length, _END.size + 0xFFFF))
    at = tail.rfind(b"PK\5\6")
    _, disk, first_disk, here, count, size, start, comment = _END.unpack_from(tail, max(at, 0))
    if at < 0 or at + _END.size + comment != len(tail):
        raise damaged()
    end = length - len(tail) + at
    numbers: tuple[int, ...] = (disk, first_disk, here, count, size, start)
    signature, record_disk, record, disks = _LOCATOR.unpack(
        _read(file, max(0, end - _LOCATOR.size), _LOCATOR.size)
    )
    if signature == b"PK\6\7" and (record_disk or disks > 1):
        raise _split()
    if signature == b"PK\6\7":
        numbers = _wide_numbers(file, numbers, record, end - _LOCATOR.size)
        end = record
    disk, first_disk, here, count, size, start = numbers
    if disk or first_disk or here != count:
        raise _split()
    if start + size != end:
        raise damaged()
    return count, start, end


def _split() -> ArchiveRejected:
    return ArchiveRejected("malformed", "Archive is a part of a split archive")


def _wide_numbers(file: IO[bytes], narrow: tuple[int, ...], record: int, end: int) -> tuple[int, ...]:
    """The numbers of the directory in 64 bits, which those in fewer may not contradict."""
    signature, size, _, _, *wide = _WIDE_END.unpack(_read(file, record, _WIDE_END.size))
    agreed = all(
        few in (many, most)
        for few, many, most in zip(narrow, wide, (*[0xFFFF] * 4, _MOST, _MOST), strict=True)
    )
    if signature != b"PK\6\6" or record + 12 + size != end or not agreed:
        raise damaged()
    return tuple(wide)


def _entries(file: IO[bytes], count: int, start: int, end: int) -> Iterator[_Entry]:
    for _ in range(count):
        (signature, made, _, flags, method, _, _, checksum, packed, size, name_size, extra_size, comment_size,
         disk, _, attributes, offset) = _CENTRAL.unpack(_read(file, start, _CENTRAL.size))  # fmt: skip
        raw = _read(file, start + _CENTRAL.size, name_size)
        at = start
        extras = _extras(_read(file, start + _CENTRAL.size + name_size, extra_size))
        start += _CENTRAL.size + name_size + extra_size + comment_size
        if signature != b"PK\1\2" or disk or start > end:
            raise damaged()
        size, packed, offset = _widened(extras, size, packed, offset)
        name = _name(raw, extras, flags, made >> 8)
        yield _Entry(at, raw, name, made >> 8, flags, method, checksum, packed, size, attributes, offset)
    if start != end:
        raise damaged()


def _extras(data: bytes) -> dict[int, bytes]:
    """The extra fields by number; a few bytes behind them are padding."""
    found: dict[int, bytes] = {}
    while len(data) >= 4:
        number, size = struct.unpack_from("<2H", data)
        if 4 + size > len(data) or number in found:
            raise damaged()
        found[number] = data[4 : 4 + size]
        data = data[4 + size :]
    return found


def _widened(extras: dict[int, bytes], *numbers: int) -> list[int]:
    """Numbers of 32 bits, those without room for them from the extra field, in the order given."""
    data = extras.get(_WIDE_EXTRA, b"")
    found = []
    for number in numbers:
        if number == _MOST and data:
            number, data = struct.unpack_from("<Q", data)[0], data[8:]
        found.append(number)
    return found


def _name(raw: bytes, extras: dict[int, bytes], flags: int, host: int) -> str:
    """A name as unzip will write it. Raises: ArchiveRejected for one that nobody can know."""
    other = extras.get(_NAME_EXTRA, b"")
    if not flags & _UTF8 and other[:5] == b"\1" + struct.pack("<L", zlib.crc32(raw)):
        raw, flags = other[5:], _UTF8
    shown = raw.decode("utf-8", "replace")
    if b"\0" in raw or not raw:
        raise members.unsupported(shown)
    if not flags & _UTF8 and host in _DOS_HOSTS and not raw.isascii():
        raise ArchiveRejected(
            "unsupported_entry",
            f"Archive contains a name in an unknown code page: {values.printable(shown)[:300]}."
            " Pack it with names in UTF-8 (7-Zip: -mcu=on)",
        )
    raw = _with_slashes(raw, host)
    try:
        return raw.decode("utf-8", "strict" if flags & _UTF8 else "surrogateescape")
    except UnicodeDecodeError:
        raise members.unsupported(shown) from None


def _with_slashes(raw: bytes, host: int) -> bytes:
    """A name with the slashes that unzip reads for the backslashes of .NET."""
    return raw.replace(b"\\", b"/") if host == _DOS and b"/" not in raw else raw


def _changes(entry: _Entry) -> Iterator[tuple[int, bytes]]:
    """What unzip has to find in place of what is there, by place, to name the member as we do.

    It takes a name of DOS for one in a code page, though a flag says UTF-8; not one of NTFS.
    """
    name = _with_slashes(entry.raw, entry.host)
    if name != entry.raw:
        yield entry.at + _CENTRAL.size, name
        yield entry.offset + _LOCAL.size, name
    if entry.host in _DOS_HOSTS and entry.host != _NTFS and not entry.name.isascii():
        yield entry.at + 5, bytes([_NTFS])


def _starts(file: IO[bytes], entries: list[_Entry], end: int) -> list[int]:
    """Where the content of each entry starts. Raises: ArchiveRejected when two share a byte."""
    starts = [_content_start(file, entry) for entry in entries]
    before = 0
    for start, entry in sorted(zip(starts, entries, strict=True)):
        if entry.offset < before:
            raise _overlapping()
        before = start + entry.packed
    if before > end:
        raise _overlapping()
    return starts


def _overlapping() -> ArchiveRejected:
    return ArchiveRejected("overlap", "Archive contains entries that overlap")


def _judged(file: IO[bytes], entries: list[_Entry], starts: list[int]) -> dict[str, Member]:
    found: dict[str, Member] = {}
    for start, entry in zip(starts, entries, strict=True):
        name, kind = _judged_name(entry.name), _kind(entry)
        head = _verified(file, start, entry)
        target = os.fsdecode(head) if kind == "link" else ""
        if kind == "link":
            members.judge_target(entry.name, target)
            if name in found:  # unzip keeps the first, others the last
                raise members.conflicting(name)
        members.add(found, name, Member(kind, entry.size if kind == "file" else 0, target))
    return found


def _kind(entry: _Entry) -> str:
    """file, dir or link, from the name and the attributes of a Unix. Raises: ArchiveRejected for all else."""
    if entry.flags & (_ENCRYPTED | _STRONG | _MASKED):
        raise ArchiveRejected("encrypted", f"Archive contains encrypted entry {values.printable(entry.name)}")
    format_ = stat.S_IFMT(entry.attributes >> 16)
    known = entry.method in (_STORED, _DEFLATED) and not entry.flags & _PATCHED
    if known and entry.name.endswith("/"):
        if format_ in (0, stat.S_IFDIR, stat.S_IFREG) and not entry.size:
            return "dir"
    elif known and os.path.normpath(entry.name) != ".":
        if format_ in (0, stat.S_IFREG):
            return "file"
        if format_ == stat.S_IFLNK:
            return "link"
    raise members.unsupported(entry.name)


def _judged_name(name: str) -> str:
    if members.is_absolute(name) or members.has_parent(name) or "\\" in name:
        raise ArchiveRejected("unsafe_path", "Archive contains entries with unsafe paths")
    return members.normal_name(name)


def _content_start(file: IO[bytes], entry: _Entry) -> int:
    """Where an entry's content starts. Raises: ArchiveRejected when its own header tells another story."""
    header = _LOCAL.unpack(_read(file, entry.offset, _LOCAL.size))
    signature, _, flags, method, _, _, checksum, packed, size, name_size, extra_size = header
    raw = _read(file, entry.offset + _LOCAL.size, name_size)
    extras = _extras(_read(file, entry.offset + _LOCAL.size + name_size, extra_size))
    if signature != b"PK\3\4":
        raise damaged()
    size, packed = _widened(extras, size, packed)
    told = (checksum, packed, size)
    later = flags & _SIZES_FOLLOW and told == (0, 0, 0)
    same = (raw, method, flags & _AGREED) == (entry.raw, entry.method, entry.flags & _AGREED)
    if not same or not (later or told == (entry.checksum, entry.packed, entry.size)):
        raise members.different()
    if _name(raw, extras, flags, entry.host) != entry.name:
        raise members.different()
    return int(entry.offset + _LOCAL.size + name_size + extra_size)


def _verified(file: IO[bytes], begin: int, entry: _Entry) -> bytes:
    """Read an entry's content to its end; how it begins. Raises: ArchiveRejected for another size or sum."""
    file.seek(begin)
    size, checksum, head = 0, 0, b""
    for piece in _pieces(file, entry):
        head += piece[: 4096 - len(head)]
        size += len(piece)
        checksum = zlib.crc32(piece, checksum)
        if size > entry.size:
            raise members.different()
    if (size, checksum) != (entry.size, entry.checksum):
        raise members.different()
    return head


def _pieces(file: IO[bytes], entry: _Entry) -> Iterator[bytes]:
    """The content of an entry, never much of it at once."""
    left, rest = entry.packed, b""
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    while left and entry.method == _STORED:
        piece = file.read(min(left, members.CHUNK))
        if not piece:
            raise damaged()
        left -= len(piece)
        yield piece
    while entry.method == _DEFLATED and not engine.eof:
        if left and not rest:
            rest = file.read(min(left, members.CHUNK))
            left -= len(rest) or left
        piece = engine.decompress(rest, members.CHUNK)
        if not piece and not rest and not left:
            raise damaged()
        rest = engine.unconsumed_tail
        yield piece
    if left or engine.unused_data:
        raise members.different()


def _read(file: IO[bytes], position: int, size: int) -> bytes:
    file.seek(position)
    data = file.read(size)
    if len(data) != size:
        raise damaged()
    return data

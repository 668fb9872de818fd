"""Zip archives as nobody's zip would write them, made header by header: some to refuse, some to take."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

from tests.archives import ESCAPE, LINK, Refused, Taken

ZIP = "Archive does not look like a zip archive, or is cut off"
UNSAFE = "Archive contains entries with unsafe paths"
OTHER = "Archive contains something else than its headers say"
OVERLAP = "Archive contains entries that overlap"
SPLIT = "Archive is a part of a split archive"
EMPTY = "Archive contains no files"
STORED, DEFLATED = 0, 8
UTF8 = 1 << 11
MOST = 0xFFFFFFFF
Entry = dict[str, Any]


def entry(name: str | bytes, content: bytes = b"", mode: int = stat.S_IFREG | 0o644, **fields: Any) -> Entry:
    """One member. fields: made, flags, method, crc, packed, size, extra, disk, offset, data (what is stored);
    and each of them with `local_` before it, for the header before the content only.
    """
    raw = name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")
    method = fields.get("method", DEFLATED)
    data = fields.get("data", deflated(content) if method == DEFLATED else content)
    known: Entry = {
        "name": raw,
        "made": 3 << 8 | 20,
        "flags": 0 if raw.isascii() or not isinstance(name, str) or "\udcff" in name else UTF8,
        "method": method,
        "crc": zlib.crc32(content),
        "packed": len(data),
        "size": len(content),
        "extra": b"",
        "disk": 0,
        "attributes": mode << 16,
        "comment": b"",
        "behind": b"",
    }
    return {**known, **fields, "data": data}


def directory(name: str, mode: int = 0o755) -> Entry:
    return entry(name, mode=stat.S_IFDIR | mode, method=STORED)


def symlink(name: str, target: str | bytes, **fields: Any) -> Entry:
    raw = target if isinstance(target, bytes) else target.encode()
    return entry(name, raw, mode=stat.S_IFLNK | 0o777, method=STORED, **fields)


def deflated(content: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return engine.compress(content) + engine.flush()


def local(one: Entry) -> bytes:
    """An entry's own header, its content and what follows."""
    field = {key: one.get(f"local_{key}", value) for key, value in one.items()}
    sizes = (field["crc"], field["packed"], field["size"], len(field["name"]), len(field["extra"]))
    head = struct.pack("<4s5H3L2H", b"PK\3\4", 20, field["flags"], field["method"], 0, 0x21, *sizes)
    return bytes(head + field["name"] + field["extra"] + one["data"] + one["behind"])


def central(one: Entry, offset: int) -> bytes:
    """An entry's line in the directory."""
    numbers = (one["made"], 20, one["flags"], one["method"], 0, 0x21, one["crc"], one["packed"], one["size"])
    sizes = (len(one["name"]), len(one["extra"]), len(one["comment"]), one["disk"], 0, one["attributes"])
    head = struct.pack("<4s6H3L5H2L", b"PK\1\2", *numbers, *sizes, one.get("offset", offset))
    return bytes(head + one["name"] + one["extra"] + one["comment"])


def end(numbers: Sequence[int], comment: bytes = b"", length: int | None = None) -> bytes:
    """The end of an archive. numbers: disk, disk of the directory, entries here, all, its size, start."""
    return struct.pack("<4s4H2LH", b"PK\5\6", *numbers, len(comment) if length is None else length) + comment


def wide_end(numbers: Sequence[int], at: int, disks: int = 1, few: Sequence[int] = ()) -> bytes:
    """The same in 64 bits, at an offset, and all that follows it. few: the numbers in fewer bits."""
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, *numbers)
    short = few or (0, 0, 0xFFFF, 0xFFFF, MOST, MOST)
    return record + struct.pack("<4sLQL", b"PK\6\7", 0, at, disks) + end(short)


def zipped(
    *entries: Entry, before: bytes = b"", wide: bool = False, comment: bytes = b"", **numbers: int
) -> bytes:
    """A whole archive. numbers: what its end claims: disk, first, here, count, size, start."""
    body, lines = before, b""
    for one in entries:
        lines += central(one, len(body))
        body += local(one)
    known = {"disk": 0, "first": 0, "here": len(entries), "count": len(entries)}
    known |= {"size": len(lines), "start": len(body), **numbers}
    values = tuple(known.values())
    whole = body + lines
    return whole + (wide_end(values, len(whole)) if wide else end(values, comment))


def unicode_name(raw: bytes, name: str, crc: int | None = None) -> bytes:
    """Info-ZIP's extra field with the real name of an entry."""
    data = struct.pack("<BL", 1, zlib.crc32(raw) if crc is None else crc) + name.encode(
        "utf-8", "surrogateescape"
    )
    return struct.pack("<2H", 0x7075, len(data)) + data


def wide_extra(*numbers: int) -> bytes:
    return struct.pack("<2H", 1, 8 * len(numbers)) + struct.pack(f"<{len(numbers)}Q", *numbers)


def streamed(**files: bytes) -> bytes:
    """As Python writes to what can't seek: sizes and sums behind each content."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return pipe.data


def _unsupported(name: str) -> str:
    return f"Archive contains unsupported entry {name}"


def _conflict(name: str) -> str:
    return f"Archive contains conflicting entries for {name}"


def _refused(text: str, *entries: Entry, **how: Any) -> Refused:
    return Refused(zipped(GOOD, *entries, **how), text)


def _bomb(count: int) -> bytes:
    """Many names for one content, which is there once."""
    kernel = entry("a", bytes(100_000))
    body = local(kernel)
    lines = b"".join(central(kernel, 0) for _ in range(count))
    return body + lines + end((0, 0, count, count, len(lines), len(body)))


def _quoted_bomb() -> bytes:
    """The content of one entry is the header and the content of the next, as David Fifield made it."""
    inner = entry("b", bytes(50_000))
    outer = entry("a", local(inner), method=STORED)
    inner_at = len(local(outer)) - len(local(inner))
    lines = central(outer, 0) + central(inner, inner_at)
    return local(outer) + lines + end((0, 0, 2, 2, len(lines), len(local(outer))))


def _cut(at: int) -> bytes:
    return zipped(GOOD, entry("b", b"x" * 500))[:at]


GOOD = entry("index.html", b"hello")
_WHOLE = zipped(GOOD)
_LINK = stat.S_IFLNK | 0o777

REFUSED = {
    "an absolute path": _refused(UNSAFE, entry("/tmp/canary", b"x")),
    "two slashes": _refused(UNSAFE, entry("//tmp/canary", b"x")),
    "a drive": _refused(UNSAFE, entry("C:\\x", b"x")),
    "a drive with a slash": _refused(UNSAFE, entry("c:/x", b"x")),
    "a backslash first": _refused(UNSAFE, entry("\\x", b"x")),
    "a backslash": _refused(UNSAFE, entry("a\\b", b"x")),
    "a backslash of Windows with the parent": _refused(UNSAFE, entry("..\\canary", b"x", made=20)),
    "a backslash of Windows at the start": _refused(UNSAFE, entry("\\x", b"x", made=20)),
    "a backslash of Windows beside a slash": _refused(UNSAFE, entry("a/b\\c", b"x", made=20)),
    "the parent": _refused(UNSAFE, entry("../canary", b"x")),
    "the parent, further in": _refused(UNSAFE, entry("a/../../canary", b"x")),
    "the parent, at the end": _refused(UNSAFE, entry("a/..", b"x")),
    "the parent and back": _refused(UNSAFE, entry("a/../b", b"x")),
    "the parent with blanks": _refused(UNSAFE, entry("a b/../../c d", b"x")),
    "the parent with a backslash": _refused(UNSAFE, entry("..\\canary", b"x")),
    "the parent as a directory": _refused(UNSAFE, directory("../")),
    "the parent in the other name": _refused(
        UNSAFE, entry("a", b"x", extra=unicode_name(b"a", "../canary"))
    ),
    "the parent in the other name, in the local header": _refused(
        OTHER, entry("a", b"x", local_extra=unicode_name(b"a", "../canary"))
    ),
    "an absolute link": _refused(LINK, symlink("a", "/tmp")),
    "a file below an absolute link": _refused(LINK, symlink("a", "/tmp"), entry("a/canary", b"x")),
    "a file below a link": _refused(_conflict("a/x"), directory("d/"), symlink("a", "d"), entry("a/x", b"x")),
    "a link that leaves": _refused(ESCAPE, symlink("a", "../x")),
    "a link to the parent": _refused(ESCAPE, symlink("a", "..")),
    "a link that leaves from further in": _refused(ESCAPE, symlink("a/b", "../../x")),
    "a chain of links that leaves": _refused(ESCAPE, symlink("a", "b"), symlink("b", "..")),
    "a link that leaves by another": _refused(
        ESCAPE, entry("p/q/x", b"x"), symlink("p/q/up", "../.."), symlink("out", "p/q/up/..")
    ),
    "a link that leaves when the top directory is gone": Refused(
        zipped(entry("top/b", b"x"), symlink("top/a", "../top/b")), ESCAPE
    ),
    "two links round and round": _refused(ESCAPE, symlink("a", "b"), symlink("b", "a")),
    "a link into .git": _refused(ESCAPE, symlink("a", ".git/config")),
    "a link to nothing": _refused(_unsupported("a"), symlink("a", "")),
    "a link with a line break": _refused(_unsupported("a"), symlink("a", "b\nc")),
    "a link with a very long target": _refused(_unsupported("a"), symlink("a", "x/" * 3000)),
    "a link twice": _refused(_conflict("a"), symlink("a", "index.html"), symlink("a", "b")),
    "a link, then a file": _refused(_conflict("a"), symlink("a", "index.html"), entry("a", b"x")),
    "a file, then a link": _refused(_conflict("a"), entry("a", b"x"), symlink("./a", "index.html")),
    "a link that is called a directory": _refused(_unsupported("a/"), entry("a/", b"b", mode=_LINK)),
    "a character device": _refused(_unsupported("a"), entry("a", mode=stat.S_IFCHR | 0o644)),
    "a block device": _refused(_unsupported("a"), entry("a", mode=stat.S_IFBLK | 0o644)),
    "a fifo": _refused(_unsupported("a"), entry("a", mode=stat.S_IFIFO | 0o644)),
    "a socket": _refused(_unsupported("a"), entry("a", mode=stat.S_IFSOCK | 0o644)),
    "a directory that is called a file": _refused(_unsupported("a"), entry("a", mode=stat.S_IFDIR | 0o755)),
    "a directory with content": _refused(_unsupported("a/"), entry("a/", b"x", mode=stat.S_IFDIR | 0o755)),
    "a line break in a name": _refused(_unsupported("a\\x0ab"), entry("a\nb", b"x")),
    "an escape in a name": _refused(_unsupported("a\\x1b[2Jb"), entry("a\x1b[2Jb", b"x")),
    "a delete in a name": _refused(_unsupported("a\\x7f"), entry("a\x7f", b"x")),
    "a zero in a name": _refused(_unsupported("a\\x00b"), entry(b"a\0b", b"x")),
    "no name": _refused(_unsupported(""), entry("", b"x")),
    "a file called as the directory itself": _refused(_unsupported("."), entry(".", b"x")),
    "a name that is too long": _refused(_unsupported("xxx"), entry("x" * 256, b"x")),
    "a path that is too deep": _refused(_unsupported("d/d/"), entry("d/" * 3600 + "x", b"x")),
    "a name that is not in the code it claims": _refused(
        _unsupported("a"), entry(b"a\xff", b"x", flags=UTF8)
    ),
    "a name in a code page of DOS": _refused(
        "Archive contains a name in an unknown code page: a", entry(b"a\x84", b"x", made=20)
    ),
    "a file, then below it": _refused(_conflict("f/g"), entry("f", b"x"), entry("f/g", b"x")),
    "a directory, then a file": _refused(_conflict("d"), entry("d/x", b"x"), entry("d", b"x")),
    "an encrypted entry": _refused("Archive contains encrypted entry a", entry("a", b"x", flags=1)),
    "a strongly encrypted entry": _refused("encrypted entry a", entry("a", b"x", flags=1 | 1 << 6)),
    "a directory that is hidden": _refused("encrypted entry a", entry("a", b"x", flags=1 << 13)),
    "a patch": _refused(_unsupported("a"), entry("a", b"x", flags=1 << 5)),
    **{
        f"method {method}": _refused(_unsupported("a"), entry("a", b"x", method=method))
        for method in (1, 6, 9, 12, 14, 93, 95, 99)
    },
    "another name in the local header": _refused(OTHER, entry("a", b"x", local_name=b"b")),
    "another way out in the local header": _refused(OTHER, entry("ab", b"x", local_name=b"..")),
    "another method in the local header": _refused(OTHER, entry("a", b"x", local_method=STORED)),
    "another size in the local header": _refused(OTHER, entry("a", b"x" * 9, local_size=8)),
    "another packed size in the local header": _refused(OTHER, entry("a", b"x" * 9, local_packed=1)),
    "another sum in the local header": _refused(OTHER, entry("a", b"x" * 9, local_crc=1)),
    "encrypted in the local header": _refused(OTHER, entry("a", b"x", local_flags=1)),
    "a size that is too small": _refused(OTHER, entry("a", b"x" * 900, size=1, local_size=1)),
    "a size that is too large": _refused(OTHER, entry("a", b"x" * 9, size=10)),
    "a stored size that is too small": _refused(OTHER, entry("a", b"x" * 9, method=STORED, size=8)),
    "a bomb that claims to be small": _refused(OTHER, entry("a", bytes(30_000_000), size=10)),
    "a bomb that claims to be small, with sizes behind it": _refused(
        OTHER, entry("a", bytes(30_000_000), size=10, flags=8, local_crc=0, local_packed=0, local_size=0)
    ),
    "a wrong sum": _refused(OTHER, entry("a", b"x", crc=1)),
    "a wrong sum of something stored": _refused(OTHER, entry("a", b"x", method=STORED, crc=1)),
    "bits turned over": _refused(ZIP, entry("a", b"hello", data=b"\xff" * 20)),
    "packed data that goes on": _refused(OTHER, entry("a", b"x", data=deflated(b"x") + b"more")),
    "packed data that ends early": _refused(ZIP, entry("a", b"x" * 900, data=deflated(b"x" * 900)[:-2])),
    "overlapping entries": Refused(_bomb(2), OVERLAP),
    "many names for one content": Refused(_bomb(9_000), OVERLAP),
    "an entry inside another": Refused(_quoted_bomb(), OVERLAP),
    "an entry inside the directory": Refused(
        zipped(GOOD, entry("a", b"x", data=b"x", method=STORED, packed=60, size=60)), OVERLAP
    ),
    "an entry outside the archive": _refused(ZIP, entry("a", b"x", offset=100_000)),
    "an entry where there is none": _refused(ZIP, entry("a", b"x", offset=3)),
    "a size beyond all limits": _refused(
        "Archive exceeds maximum allowed size of",
        entry("a", b"x", size=MOST, extra=wide_extra(2**62), local_size=MOST, local_extra=wide_extra(2**62)),
    ),
    "too many entries": Refused(
        zipped(GOOD, here=60_000, count=60_000), "Archive contains 60000 entries which exceeds the maximum of"
    ),
    "more entries than there are": Refused(zipped(GOOD, here=2, count=2), ZIP),
    "fewer entries than there are": Refused(zipped(GOOD, GOOD, here=1, count=1), ZIP),
    "entries that are elsewhere": Refused(zipped(GOOD, here=1, count=2), SPLIT),
    "a second disk": Refused(zipped(GOOD, disk=1), SPLIT),
    "a directory on a second disk": Refused(zipped(GOOD, first=1), SPLIT),
    "an entry on a second disk": Refused(zipped({**GOOD, "disk": 1}), ZIP),
    "the first part of several": Refused(b"PK\7\x08" + _WHOLE, ZIP),
    "something before it": Refused(b"#!/bin/sh\n" + _WHOLE, ZIP),
    "something behind it": Refused(_WHOLE + b"x", ZIP),
    "another end in the comment": Refused(zipped(GOOD, comment=_WHOLE), ZIP),
    "a directory that starts elsewhere": Refused(zipped(GOOD, start=3), ZIP),
    "a directory of another size": Refused(zipped(GOOD, size=3), ZIP),
    "two answers to one extra field": Refused(
        zipped(entry("a", b"x", extra=wide_extra(1) + wide_extra(2))), ZIP
    ),
    "an extra field that is cut off": Refused(zipped(entry("a", b"x", extra=b"\1\0\x20\0x")), ZIP),
    "wide numbers that contradict": Refused(
        (lambda whole: whole[:-22] + end((0, 0, 2, 2, 0, 0)))(zipped(GOOD, wide=True)), ZIP
    ),
    "wide numbers that are elsewhere": Refused(zipped(GOOD) [:-22] + wide_end((0, 0, 1, 1, 56, 46), 0), ZIP),
    "wide numbers of several disks": Refused(
        (lambda whole: whole[:-26] + struct.pack("<L", 3) + whole[-22:])(zipped(GOOD, wide=True)), SPLIT
    ),
    "cut off in the content": Refused(_cut(60), ZIP),
    "cut off in the directory": Refused(_cut(len(_cut(9999)) - 60), ZIP),
    "cut off in the end": Refused(_cut(len(_cut(9999)) - 1), ZIP),
    "nothing": Refused(b"", "Empty archive"),
    "no entries": Refused(zipped(), EMPTY),
    "nothing but directories": Refused(zipped(directory("a/"), directory("a/b/")), EMPTY),
    "nothing but .git": Refused(zipped(entry(".git/config", b"x")), "No files found to commit"),
    "a page": Refused(b"<html><body>404 Not Found</body></html>" * 40, ZIP),
    "a few bytes": Refused(b"hello", ZIP),
}  # fmt: skip


def _plain(**tree: bytes) -> dict[str, tuple[str, bytes]]:
    return {name: ("100644", content) for name, content in tree.items()}


def _twice(**fields: Any) -> Entry:
    """The same in both headers."""
    return {**fields, **{f"local_{key}": value for key, value in fields.items()}}


HELLO = _plain(**{"index.html": b"hello"})
_ODD_NAMES = [
    "-rf",
    "--help",
    "~",
    "a b",
    " x ",
    "ä/ö",
    "$(id)",
    "`id`",
    ";",
    "a;1",
    "'",
    '"',
    "*",
    "#",
    "@{x",
]
_ODD_NAMES += ["[a]", "?", "%2e", "e\udcffx", "a:b", "日本"]

TAKEN = {
    "many at the top": Taken(zipped(entry("a", b"1"), entry("b", b"2")), _plain(a=b"1", b=b"2")),
    "one directory": Taken(zipped(directory("top/"), entry("top/index.html", b"hello")), HELLO),
    "one directory that is not listed": Taken(zipped(entry("top/index.html", b"hello")), HELLO),
    "a directory and one that starts like it": Taken(
        zipped(entry("app/x", b"1"), entry("app2/x", b"2")), _plain(**{"app/x": b"1", "app2/x": b"2"})
    ),
    "one file": Taken(zipped(GOOD), HELLO),
    "the directory itself": Taken(zipped(directory("./"), entry("./index.html", b"hello")), HELLO),
    "stored and deflated": Taken(
        zipped(entry("a", b"1" * 5000), entry("b", b"2" * 5000, method=STORED)),
        _plain(a=b"1" * 5000, b=b"2" * 5000),
    ),
    "sizes behind the content": Taken(streamed(a=b"1" * 5000, b=b""), _plain(a=b"1" * 5000, b=b"")),
    "odd names": Taken(
        zipped(*(entry(name, b"x") for name in _ODD_NAMES)), dict.fromkeys(_ODD_NAMES, ("100644", b"x"))
    ),
    "another name in UTF-8": Taken(
        zipped(GOOD, entry(b"a\x84", b"1", **_twice(extra=unicode_name(b"a\x84", "aä")))),
        {**HELLO, **_plain(aä=b"1")},
    ),
    "names of .NET on Windows": Taken(
        zipped(
            entry("dir\\", b"", made=20, mode=0),
            entry("dir\\ä€.txt", b"1", made=20, mode=0),
            entry("plain.txt", b"2", made=20, mode=0),
            entry("b/ü.txt", b"3", made=20, mode=0),
        ),
        _plain(**{"dir/ä€.txt": b"1", "plain.txt": b"2", "b/ü.txt": b"3"}),
    ),
    "names of Explorer, OS/2 and NTFS": Taken(
        zipped(*(entry(f"ä{host}", b"1", made=host << 8 | 20, mode=0) for host in (0, 6, 10, 11))),
        _plain(**{f"ä{host}": b"1" for host in (0, 6, 10, 11)}),
    ),
    "another name that is outdated": Taken(
        zipped(GOOD, entry("b", b"1", **_twice(extra=unicode_name(b"b", "c", crc=1)))),
        {**HELLO, **_plain(b=b"1")},
    ),
    "modes of all kinds": Taken(
        zipped(
            *(
                entry(name, b"", mode=stat.S_IFREG | mode)
                for name, mode in (("setuid", 0o4755), ("all", 0o7777), ("none", 0), ("theirs", 0o077))
            ),
            entry("run", b"", mode=stat.S_IFREG | 0o100),
        ),
        {
            **dict.fromkeys(("setuid", "all", "run"), ("100755", b"")),
            **dict.fromkeys(("none", "theirs"), ("100644", b"")),
        },
    ),
    "closed directories": Taken(
        zipped(directory("a/", mode=0), directory("a/b/", mode=0), entry("a/b/c", b"1"), GOOD),
        {**_plain(**{"a/b/c": b"1"}), **HELLO},
    ),
    "no modes at all": Taken(zipped(entry("a", b"1", mode=0, made=20)), _plain(a=b"1")),
    ".git at the top": Taken(zipped(GOOD, entry(".git/config", b"[core]"), entry(".GIT/x", b"")), HELLO),
    ".git that is a file, further in": Taken(
        zipped(GOOD, entry("sub/.git", b"gitdir: /x"), entry("sub/x", b"1")),
        {**HELLO, **_plain(**{"sub/x": b"1"})},
    ),
    "links that stay inside": Taken(
        zipped(
            entry("foo/cli.js", b"1"),
            symlink("bin/foo", "../foo/cli.js"),
            symlink("c", "a..b"),
            symlink("here", "."),
            symlink("bin/up", ".."),
        ),
        {
            "foo/cli.js": ("100644", b"1"),
            "bin/foo": ("120000", b"../foo/cli.js"),
            "c": ("120000", b"a..b"),
            "here": ("120000", b"."),
            "bin/up": ("120000", b".."),
        },
    ),
    "a link that stays inside one directory": Taken(
        zipped(entry("top/a/x", b"1"), symlink("top/b/y", "../a/x")),
        {"a/x": ("100644", b"1"), "b/y": ("120000", b"../a/x")},
    ),
    "a name twice": Taken(zipped(entry("a", b"1"), GOOD, entry("./a", b"22")), {**_plain(a=b"22"), **HELLO}),
    "a directory twice": Taken(
        zipped(directory("d/"), entry("d/x", b"1"), directory("d/"), GOOD),
        {**_plain(**{"d/x": b"1"}), **HELLO},
    ),
    "wide numbers": Taken(zipped(GOOD, wide=True), HELLO),
    "wide sizes": Taken(
        zipped(
            GOOD,
            entry(
                "a",
                b"1" * 50,
                **_twice(size=MOST, packed=MOST, extra=wide_extra(50, len(deflated(b"1" * 50)))),
            ),
        ),
        {**HELLO, **_plain(a=b"1" * 50)},
    ),
    "a comment": Taken(zipped(GOOD, comment=b"made by hand"), HELLO),
    "a comment for an entry": Taken(zipped({**GOOD, "comment": b"x" * 300}), HELLO),
    "gaps between entries": Taken(
        zipped({**GOOD, "behind": b"x" * 99}, entry("a", b"1")), {**HELLO, **_plain(a=b"1")}
    ),
    "padding in an extra field": Taken(zipped({**GOOD, "extra": b"\0\0\0", "local_extra": b"\0"}), HELLO),
    "files and an empty directory": Taken(zipped(GOOD, directory("empty/")), HELLO),
    "something before it, counted in": Taken(zipped(GOOD, before=b"#!/bin/sh\n"), HELLO),
    "an empty file": Taken(zipped(entry("a", b"")), _plain(a=b"")),
}  # fmt: skip

"""Archives as nobody's tar would write them, made header by header: some to refuse, some to take."""

import gzip
import io
import tarfile
import zipfile
from typing import NamedTuple

TAR = "Archive does not look like a tar archive, or is cut off"
ABSOLUTE = "Archive contains entries with absolute paths"
PARENT = "Archive contains entries with parent directory traversal"
LINK = "Archive contains symlinks with absolute targets"
ESCAPE = "Archive contains symlinks pointing outside extraction directory"
HEADERS = "Archive contains headers of an unreasonable size"
END = bytes(1024)


class Refused(NamedTuple):
    data: bytes
    text: str


class Taken(NamedTuple):
    """tree: mode and content by path, as git has them; the content of a link is its target."""

    data: bytes
    tree: dict[str, tuple[str, bytes]]


def member(
    name: str,
    content: bytes = b"",
    type_: bytes = tarfile.REGTYPE,
    link: str = "",
    mode: int = 0o644,
    size: int | None = None,
    form: int = tarfile.GNU_FORMAT,
) -> bytes:
    """One member: its header blocks and its content. size: what the header claims."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = type_, link, mode
    info.size = len(content) if size is None else size
    return info.tobuf(form, "utf-8", "surrogateescape") + content + bytes(-len(content) % 512)


def archive(*members: bytes, end: bytes = END) -> bytes:
    return b"".join(members) + end


def directory(name: str, mode: int = 0o755, size: int = 0) -> bytes:
    return member(name, type_=tarfile.DIRTYPE, mode=mode, size=size)


def symlink(name: str, target: str, size: int = 0) -> bytes:
    return member(name, type_=tarfile.SYMTYPE, link=target, mode=0o777, size=size)


def hard_link(name: str, target: str) -> bytes:
    return member(name, type_=tarfile.LNKTYPE, link=target)


def zipped(**files: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return data.getvalue()


def raw_header(name: bytes, type_: bytes, size: int, magic: bytes = b"ustar  \0") -> bytes:
    """A header that tarfile's own writer would not write."""
    size_field = b"%011o\0" % size if 0 <= size < 8**11 else (size % 256**12).to_bytes(12, "big")
    if size < 0 or size >= 8**11:
        size_field = bytes([0xFF if size < 0 else 0x80]) + size_field[1:]
    start = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + size_field + b"00000000000\0"
    rest = type_ + bytes(100) + magic + bytes(247)
    checksum = sum(start) + sum(rest) + 8 * 32
    return start + b"%06o\0 " % checksum + rest


def sparse(name: str, real_size: int) -> bytes:
    """A GNU sparse file of so many bytes, all of them holes."""
    header = bytearray(raw_header(name.encode(), b"S", 0))
    header[386 : 386 + 24] = b"%011o\0" % real_size + b"%011o\0" % 0
    header[483 : 483 + 12] = b"%011o\0" % real_size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


GOOD = member("index.html", b"hello")
EVIL = symlink("evil", "/etc/passwd")
_CORRUPT = b"x" * 512

REFUSED = {
    "an absolute path": Refused(archive(GOOD, member("/tmp/canary", b"x")), ABSOLUTE),
    "two slashes": Refused(archive(member("//x", b"x")), ABSOLUTE),
    "a drive": Refused(archive(member("C:\\x", b"x")), ABSOLUTE),
    "a drive with a slash": Refused(archive(member("c:/x", b"x")), ABSOLUTE),
    "a backslash first": Refused(archive(member("\\x", b"x")), ABSOLUTE),
    "the parent": Refused(archive(GOOD, member("../canary", b"x")), PARENT),
    "the parent, further in": Refused(archive(member("a/../../canary", b"x")), PARENT),
    "the parent, at the end": Refused(archive(member("a/..", b"x")), PARENT),
    "the parent and back": Refused(archive(member("a/../b", b"x")), PARENT),
    "the parent with blanks": Refused(archive(member("a b/../../c d", b"x")), PARENT),
    "the parent with a backslash": Refused(archive(member("..\\canary", b"x")), PARENT),
    "the parent as a directory": Refused(archive(GOOD, directory("..")), PARENT),
    "a backslash": Refused(archive(member("a\\b", b"x")), "Archive contains unsupported entry a\\b"),
    "an absolute link": Refused(archive(GOOD, symlink("a", "/tmp")), LINK),
    "a file below an absolute link": Refused(archive(symlink("a", "/tmp"), member("a/canary", b"x")), LINK),
    "a file below a link": Refused(
        archive(directory("d"), symlink("a", "d"), member("a/x", b"x")),
        "Archive contains conflicting entries for a/x",
    ),
    "a link that leaves": Refused(archive(GOOD, symlink("a", "../x")), ESCAPE),
    "a link to the parent": Refused(archive(GOOD, symlink("a", "..")), ESCAPE),
    "a link that leaves from further in": Refused(archive(GOOD, symlink("a/b", "../../x")), ESCAPE),
    "a link that leaves and returns": Refused(archive(GOOD, symlink("a", "../tree/index.html")), ESCAPE),
    "a chain of links that leaves": Refused(archive(GOOD, symlink("a", "b"), symlink("b", "..")), ESCAPE),
    "a link that leaves by another": Refused(
        archive(
            member("p/q/x", b"x"), member("y", b"y"), symlink("p/q/up", "../.."), symlink("out", "p/q/up/..")
        ),
        ESCAPE,
    ),
    "a link that leaves when the top directory is gone": Refused(
        archive(member("top/b", b"x"), symlink("top/a", "../top/b")), ESCAPE
    ),
    "a link that leaves by another when the top directory is gone": Refused(
        archive(member("top/p/x", b"x"), symlink("top/p/up", ".."), symlink("top/a", "p/up/../top/p/x")),
        ESCAPE,
    ),
    "two links round and round": Refused(archive(GOOD, symlink("a", "b"), symlink("b", "a")), ESCAPE),
    "a link to itself": Refused(archive(GOOD, symlink("a", "a")), ESCAPE),
    "a link into .git": Refused(archive(GOOD, symlink("a", ".git/config")), ESCAPE),
    "a link to nothing": Refused(archive(GOOD, symlink("a", "")), "Archive contains unsupported entry a"),
    "a link with a line break": Refused(
        archive(GOOD, symlink("a", "b\nc")), "Archive contains unsupported entry a"
    ),
    "a link with content": Refused(
        archive(GOOD, symlink("a", "index.html", size=512), member("b", b"")),
        "Archive contains unsupported entry a",
    ),
    "a directory with content": Refused(
        archive(GOOD, directory("a", size=512), member("b", b"")), "Archive contains unsupported entry a"
    ),
    "a hard link to an absolute path": Refused(archive(GOOD, hard_link("a", "/etc/passwd")), ABSOLUTE),
    "a hard link that leaves": Refused(archive(GOOD, hard_link("a", "../x")), PARENT),
    "a hard link to nothing known": Refused(
        archive(GOOD, hard_link("a", "none")), "Archive contains unsupported entry a"
    ),
    "a hard link to what comes later": Refused(
        archive(hard_link("a", "index.html"), GOOD), "Archive contains unsupported entry a"
    ),
    "a hard link to a link": Refused(
        archive(GOOD, symlink("l", "index.html"), hard_link("a", "l")), "Archive contains unsupported entry a"
    ),
    "a hard link to a directory": Refused(
        archive(GOOD, directory("d"), hard_link("a", "d")), "Archive contains unsupported entry a"
    ),
    "a character device": Refused(
        archive(GOOD, member("a", type_=tarfile.CHRTYPE)), "Archive contains unsupported entry a"
    ),
    "a block device": Refused(
        archive(GOOD, member("a", type_=tarfile.BLKTYPE)), "Archive contains unsupported entry a"
    ),
    "a fifo": Refused(
        archive(GOOD, member("a", type_=tarfile.FIFOTYPE)), "Archive contains unsupported entry a"
    ),
    "a part of several volumes": Refused(
        archive(GOOD, raw_header(b"a", b"M", 0)), "Archive contains unsupported entry a"
    ),
    "an unknown kind": Refused(
        archive(GOOD, raw_header(b"a", b"Z", 0)), "Archive contains unsupported entry a"
    ),
    "a line break in a name": Refused(
        archive(member("a\nb", b"x")), "Archive contains unsupported entry a\\x0ab"
    ),
    "an escape in a name": Refused(archive(member("a\x1b[2Jb", b"x")), "unsupported entry a\\x1b[2Jb"),
    "a delete in a name": Refused(archive(member("a\x7f", b"x")), "unsupported entry a\\x7f"),
    "no name": Refused(archive(GOOD, raw_header(b"", b"0", 0)), "Archive contains unsupported entry"),
    "a file called as the directory itself": Refused(archive(GOOD, member(".", b"x")), "unsupported entry ."),
    "a name that is too long": Refused(
        archive(member("x" * 256, b"x")), "Archive contains unsupported entry xxx"
    ),
    "a path that is too deep": Refused(archive(member("d/" * 3600 + "x", b"x")), "unsupported entry d/d/"),
    "a file, then below it": Refused(
        archive(member("f", b"x"), member("f/g", b"x")), "Archive contains conflicting entries for f/g"
    ),
    "a directory, then a file": Refused(
        archive(member("d/x", b"x"), member("d", b"x")), "Archive contains conflicting entries for d"
    ),
    "a file, then a link": Refused(
        archive(member("f", b"x"), symlink("./f", "y")), "Archive contains conflicting entries for f"
    ),
    "cut off in the content": Refused(archive(member("f", b"x" * 5000))[:2000], TAR),
    "cut off in a header": Refused(archive(GOOD, GOOD)[: 1024 + 100], TAR),
    "cut off behind a member": Refused(archive(GOOD, GOOD, end=b""), TAR),
    "garbage between members": Refused(archive(GOOD, _CORRUPT, EVIL), TAR),
    "garbage at the end": Refused(archive(GOOD, end=_CORRUPT * 2), TAR),
    "nothing": Refused(b"", "Empty archive"),
    "no members": Refused(END, "Archive contains no files"),
    "nothing but directories": Refused(
        archive(directory("a"), directory("a/b")), "Archive contains no files"
    ),
    "nothing but .git": Refused(archive(member(".git/config", b"x")), "No files found to commit"),
    "a page": Refused(b"<html><body>404 Not Found</body></html>" * 40, TAR),
    "a few bytes": Refused(b"hello", TAR),
    "a zip": Refused(zipped(a=b"x"), "Archive does not look like a tar archive (looks like ZIP)"),
    "a compressed archive that is cut off": Refused(gzip.compress(archive(GOOD))[:-30], TAR),
    "a compressed archive without its checksum": Refused(
        gzip.compress(archive(GOOD, end=bytes(10240)))[:-4], "Unable to extract the archive"
    ),
    "a compressed archive with bits turned over": Refused(
        (lambda data: data[:40] + bytes([data[40] ^ 255]) + data[41:])(gzip.compress(archive(GOOD) * 9)), TAR
    ),
    "a compressed nothing": Refused(gzip.compress(b""), TAR),
    "compressed twice": Refused(gzip.compress(gzip.compress(archive(GOOD))), TAR),
    "a sparse terabyte": Refused(
        archive(GOOD, sparse("s", 8**11 - 1)), "Archive exceeds maximum allowed size of"
    ),
    "a size beyond all limits": Refused(
        archive(raw_header(b"a", b"0", 2**60)), "Archive exceeds maximum allowed size"
    ),
    # Python's own reader refuses negative sizes since CVE-2025-8194, in words of its own.
    "a negative size": Refused(archive(raw_header(b"a", b"0", -512), GOOD), "Archive "),
    "a header of a terabyte": Refused(archive(raw_header(b"a", b"x", 2**40), GOOD), HEADERS),
    "a header of a negative size": Refused(archive(raw_header(b"a", b"x", -512), GOOD), "Archive "),
    "a name of a terabyte": Refused(archive(raw_header(b"././@LongLink", b"L", 2**40), GOOD), HEADERS),
    "a compressed header of 300 MB": Refused(
        gzip.compress(archive(raw_header(b"a", b"x", 300 * 1024**2)) + bytes(300 * 1024**2), 1), HEADERS
    ),
    "endless headers of headers": Refused(archive(raw_header(b"././@LongLink", b"L", 512) * 20_000), TAR),
}


def _plain(**tree: bytes) -> dict[str, tuple[str, bytes]]:
    return {name: ("100644", content) for name, content in tree.items()}


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
    "'",
    '"',
    "*",
    "#",
    "@{x",
    "%2e",
    "e\udcffx",
]
_LONG = "d" * 90 + "/" + "e" * 90 + "/" + "f" * 90

TAKEN = {
    "many at the top": Taken(archive(member("a", b"1"), member("b", b"2")), _plain(a=b"1", b=b"2")),
    "one directory": Taken(archive(directory("top"), member("top/index.html", b"hello")), HELLO),
    "one directory that is not listed": Taken(archive(member("top/index.html", b"hello")), HELLO),
    "one directory with directories": Taken(archive(member("top/sub/x", b"1")), _plain(**{"sub/x": b"1"})),
    "a directory and one that starts like it": Taken(
        archive(member("app/x", b"1"), member("app2/x", b"2")), _plain(**{"app/x": b"1", "app2/x": b"2"})
    ),
    "one directory and a file": Taken(
        archive(member("app/x", b"1"), member("y", b"2")), _plain(**{"app/x": b"1", "y": b"2"})
    ),
    "one file": Taken(archive(GOOD), HELLO),
    "the directory itself": Taken(archive(directory("./"), member("./index.html", b"hello")), HELLO),
    "the directory itself, closed": Taken(
        archive(directory("./", mode=0), member("./index.html", b"hello")), HELLO
    ),
    "the directory itself and one below": Taken(
        archive(directory("./"), directory("./top/"), member("./top/index.html", b"hello")), HELLO
    ),
    "one directory that starts with a dash": Taken(archive(member("-top/index.html", b"hello")), HELLO),
    "one directory that is .git in part": Taken(
        archive(member(".git/HEAD", b"x"), member("top/index.html", b"hello")),
        _plain(**{"top/index.html": b"hello"}),
    ),
    "odd names": Taken(
        archive(*(member(name, b"x") for name in _ODD_NAMES)), dict.fromkeys(_ODD_NAMES, ("100644", b"x"))
    ),
    "odd names in an odd directory": Taken(
        archive(*(member(f"-x y/{name}", b"x") for name in _ODD_NAMES)),
        dict.fromkeys(_ODD_NAMES, ("100644", b"x")),
    ),
    "long names of GNU": Taken(archive(member(_LONG, b"1"), GOOD), {**_plain(**{_LONG: b"1"}), **HELLO}),
    "long names of POSIX": Taken(
        archive(member(_LONG + "ä", b"1", form=tarfile.PAX_FORMAT), GOOD),
        {**_plain(**{_LONG + "ä": b"1"}), **HELLO},
    ),
    "modes of all kinds": Taken(
        archive(
            member("setuid", b"", mode=0o4755),
            member("all", b"", mode=0o7777),
            member("none", b"", mode=0),
            member("mine", b"", mode=0o600),
            member("run", b"", mode=0o100),
            member("theirs", b"", mode=0o077),
        ),
        {
            **dict.fromkeys(("setuid", "all", "run"), ("100755", b"")),
            **dict.fromkeys(("none", "mine", "theirs"), ("100644", b"")),
        },
    ),
    "closed directories": Taken(
        archive(directory("a", mode=0), directory("a/b", mode=0), member("a/b/c", b"1"), GOOD),
        {**_plain(**{"a/b/c": b"1"}), **HELLO},
    ),
    ".git at the top": Taken(
        archive(GOOD, member(".git/config", b"[core]"), member(".git/hooks/post-commit", b"x", mode=0o755)),
        HELLO,
    ),
    ".git by other names": Taken(
        archive(
            GOOD,
            member(".GIT/config", b"x"),
            member(".git ", b"x"),
            member("git~1", b"x"),
            member(".Git.", b""),
        ),
        HELLO,
    ),
    ".git that is a file, further in": Taken(
        archive(member("index.html", b"hello"), member("sub/.git", b"gitdir: /x"), member("sub/x", b"1")),
        {**HELLO, **_plain(**{"sub/x": b"1"})},
    ),
    "files of git that are no .git": Taken(
        archive(
            member(".gitignore", b"x\n"),
            member("x", b"1"),
            member(".gitattributes", b""),
            member("a.git", b"2"),
        ),
        _plain(**{".gitignore": b"x\n", "x": b"1", ".gitattributes": b"", "a.git": b"2"}),
    ),
    "links that stay inside": Taken(
        archive(
            member("foo/cli.js", b"1"),
            symlink("bin/foo", "../foo/cli.js"),
            symlink("c", "a..b"),
            symlink("dir", "foo"),
            symlink("here", "."),
            symlink("bin/up", ".."),
        ),
        {
            "foo/cli.js": ("100644", b"1"),
            "bin/foo": ("120000", b"../foo/cli.js"),
            "c": ("120000", b"a..b"),
            "dir": ("120000", b"foo"),
            "here": ("120000", b"."),
            "bin/up": ("120000", b".."),
        },
    ),
    "a link that stays inside one directory": Taken(
        archive(member("top/a/x", b"1"), symlink("top/b/y", "../a/x")),
        {"a/x": ("100644", b"1"), "b/y": ("120000", b"../a/x")},
    ),
    "a hard link": Taken(
        archive(member("a", b"1", mode=0o755), hard_link("b", "./a"), GOOD),
        {"a": ("100755", b"1"), "b": ("100755", b"1"), **HELLO},
    ),
    "a hard link in one directory": Taken(
        archive(member("top/a", b"1"), hard_link("top/sub/b", "top/a")), _plain(**{"a": b"1", "sub/b": b"1"})
    ),
    "a name twice": Taken(
        archive(member("a", b"1"), GOOD, member("./a", b"22")), {**_plain(a=b"22"), **HELLO}
    ),
    "a directory twice": Taken(
        archive(directory("d"), member("d/x", b"1"), directory("d/"), GOOD),
        {**_plain(**{"d/x": b"1"}), **HELLO},
    ),
    "compressed": Taken(gzip.compress(archive(GOOD)), HELLO),
    "old kinds of files": Taken(
        archive(member("a", b"1", type_=tarfile.AREGTYPE), member("b", b"2", type_=tarfile.CONTTYPE)),
        _plain(a=b"1", b=b"2"),
    ),
    "files and an empty directory": Taken(archive(GOOD, directory("empty")), HELLO),
    "an empty file": Taken(archive(member("a", b"")), _plain(a=b"")),
    "one block of zeros at the end": Taken(archive(GOOD, end=bytes(512)), HELLO),
    "much behind the end": Taken(archive(GOOD, end=bytes(20480) + b"x" * 512), HELLO),
}

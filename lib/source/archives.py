"""Archives as source: spooled, judged member by member, extracted by tar, looked at again.

All or nothing: an archive with one member that can't be judged or leaves its directory is refused before
anything is extracted.
"""

import contextlib
import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from typing import IO, Any

from lib.base import files, log, properties, scratch, values
from lib.base.errors import DokkuError, ToolFailed
from lib.tools import tar

TYPES = ("tar", "tar.gz", "zip")
STDIN = "--"
MAX_SIZE = 1024**3  # bytes, of the archive and of its content
MAX_FILES = 10_000
_CHUNK = 1024 * 1024
_BLOCK = 512  # what a tar archive is made of; one of zeros ends it
_NO_TAR = "Archive does not look like a tar archive, or is cut off"
_ESCAPE = "Archive contains symlinks pointing outside extraction directory"


@contextlib.contextmanager
def unpacked(source: str, type_: str) -> Iterator[str]:
    """A directory with the content of an archive, for as long as the block lasts.

    source: `--` for stdin. Raises: DokkuError for an archive we can't or won't unpack.
    """
    if type_ not in TYPES:
        raise DokkuError(f"Invalid archive type specified, valid archive types include: {', '.join(TYPES)}")
    if not source:
        raise DokkuError("Please specify an archive url or -- to fetch the archive from stdin")
    if source != STDIN or type_ == "zip":
        raise DokkuError("Only tar and tar.gz archives on stdin (--) are supported by this release")
    with scratch.directory("archive") as place:
        archive, tree, content = (os.path.join(place, name) for name in ("archive", "tree", "content"))
        log.info1(f"Fetching {type_} file from stdin")
        log.plain(str(_spool(archive)))
        log.info1("Generating build context")
        members, top = _judge(archive)
        if top:
            log.verbose("Striping 1 worth of directories from tarball")
        os.mkdir(tree, 0o755)
        try:
            tar.extract(archive, tree)
        except ToolFailed as error:
            raise DokkuError("Unable to extract the archive") from error
        _compare(tree, members)
        os.rename(os.path.join(tree, top), content)
        _look_over(content)
        yield content


class _Headers:
    """An archive without the content of its members: what describes them is read within a limit.

    Headers name their own size, and tarfile believes them.
    """

    def __init__(self, file: Any, limit: int) -> None:
        self._file, self._left = file, limit

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self._left:
            raise DokkuError("Archive contains headers of an unreasonable size")
        self._left -= size
        return bytes(self._file.read(size))

    def seek(self, position: int) -> int:
        return int(self._file.seek(position))

    def tell(self) -> int:
        return int(self._file.tell())


def _limit(key: str, default: int) -> int:
    text = properties.get("git", properties.GLOBAL, key)
    return int(text) if values.is_number(text) else default


def _spool(path: str) -> int:
    """Copy stdin to a file; its size. Raises: DokkuError for a terminal, for nothing, for too much."""
    stdin = sys.stdin.fileno()
    if os.isatty(stdin):
        raise DokkuError("Expecting archive on STDIN")
    limit, size = _limit("archive-max-size", MAX_SIZE), 0
    try:
        with open(path, "xb") as file:
            while chunk := os.read(stdin, _CHUNK):
                size += len(chunk)
                if size > limit:
                    raise DokkuError(f"Archive exceeds maximum allowed size of {limit} bytes")
                file.write(chunk)
    except OSError as error:
        raise DokkuError(f"Unable to store the archive: {error.strerror}") from error
    if not size:
        raise DokkuError("Empty archive")
    return size


def _judge(path: str) -> tuple[dict[str, str], str]:
    """Every member's normal name and kind, and the one directory that holds them all, if there is one.

    Raises: DokkuError for anything doubtful.
    """
    import gzip
    import tarfile  # 22 ms
    import zlib

    limit = 16 * _CHUNK + 8 * _BLOCK * _limit("archive-max-files", MAX_FILES)
    try:
        with open(path, "rb") as file:
            headers = _Headers(gzip.GzipFile(fileobj=file) if _is_gzip(file) else file, limit)
            archive: Any = tarfile.TarFile(fileobj=headers)  # type: ignore[arg-type]
            members, links = _judged(archive)
            headers.seek(archive.offset)  # where tarfile found no more headers
            if headers.read(_BLOCK) != bytes(_BLOCK):
                raise DokkuError(_NO_TAR)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, ArithmeticError, RecursionError):
        raise DokkuError(_NO_TAR) from None
    if all(kind == "dir" for kind in members.values()):
        raise DokkuError("Archive contains no files")
    tops = {name.split("/", 1)[0] for name in members} - {"."}
    only = tops.pop() if len(tops) == 1 else ""
    top = only if members.get(only) == "dir" and not _is_git(only) else ""
    for name, target in links:
        _judge_link(name.removeprefix(f"{top}/"), target)
    return members, top


def _judged(archive: Any) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Every member's normal name and kind, and the targets of links.

    Raises: DokkuError for the first that must not be extracted.
    """
    seen: dict[str, str] = {}
    links = []
    size = 0
    max_size, max_files = _limit("archive-max-size", MAX_SIZE), _limit("archive-max-files", MAX_FILES)
    for count, member in enumerate(archive, start=1):
        size += max(member.size, 0)
        if size > max_size:
            raise DokkuError(f"Archive exceeds maximum allowed size of {max_size} bytes")
        if count > max_files:
            raise DokkuError(f"Archive contains {count} entries which exceeds the maximum of {max_files}")
        name, kind = _judged_name(member.name), _kind(member, seen)
        if not kind or (name == "." and kind != "dir"):
            raise _unsupported(member.name)
        if kind == "link":
            links.append((name, _judged_target(member)))
        parents = ["/".join(name.split("/")[:depth]) for depth in range(1, name.count("/") + 1)]
        if seen.get(name, kind) != kind or any(seen.get(parent, "dir") != "dir" for parent in parents):
            raise DokkuError(f"Archive contains conflicting entries for {values.printable(name)}")
        seen.update({name: kind, **dict.fromkeys(parents, "dir")})
    return seen, links


def _kind(member: Any, seen: dict[str, str]) -> str:
    """file, dir or link; empty for what we don't extract.

    Only files have content: programs differ on whether to skip it behind other members.
    """
    if member.isreg():
        return "file" if member.size >= 0 else ""
    if member.size:
        return ""
    if member.islnk():
        return "file" if seen.get(_judged_name(member.linkname)) == "file" else ""
    return "dir" if member.isdir() else "link" if member.issym() else ""


def _judged_name(name: str) -> str:
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[/\\]", name):
        raise DokkuError("Archive contains entries with absolute paths")
    parts = re.split(r"[/\\]", name)
    if ".." in parts:
        raise DokkuError("Archive contains entries with parent directory traversal")
    sizes = [len(os.fsencode(part)) for part in parts]
    if values.has_control_characters(name) or "\\" in name or max(sizes) > 255 or sum(sizes) > 3500:
        raise _unsupported(name)
    return os.path.normpath(name)


def _unsupported(name: str) -> DokkuError:
    return DokkuError(f"Archive contains unsupported entry {values.printable(name)[:300]}")


def _judged_target(link: Any) -> str:
    if not link.linkname or values.has_control_characters(link.linkname):
        raise _unsupported(link.name)
    if link.linkname.startswith("/"):
        raise DokkuError("Archive contains symlinks with absolute targets")
    return str(link.linkname)


def _judge_link(name: str, target: str) -> None:
    """A symbolic link may only point inside the tree, whichever way it is resolved."""
    inside = os.path.normpath(os.path.join(os.path.dirname(name), target)).split("/")
    if inside[0] == ".." or any(map(_is_git, inside)):
        raise DokkuError(_ESCAPE)


def _is_gzip(file: IO[bytes]) -> bool:
    magic = file.read(2)
    file.seek(0)
    return magic == b"\x1f\x8b"


def _is_git(name: str) -> bool:
    """Whether some file system takes this for `.git`."""
    return name.casefold().rstrip(". ") in (".git", "git~1")


def _compare(tree: str, members: dict[str, str]) -> None:
    """Give everything plain modes. Raises: DokkuError when tar made something else than was judged."""
    found: dict[str, str] = {}
    size = 0
    os.chmod(tree, 0o755)
    for parent, directories, names in os.walk(tree):
        for name in (*directories, *names):
            path = os.path.join(parent, name)
            known = os.lstat(path)
            is_file, is_dir = stat.S_ISREG(known.st_mode), stat.S_ISDIR(known.st_mode)
            kind = "file" if is_file else "dir" if is_dir else "link" if stat.S_ISLNK(known.st_mode) else ""
            found[os.path.relpath(path, tree)] = kind
            size += known.st_size if is_file else 0
            if is_file or is_dir:
                os.chmod(path, 0o755 if is_dir or known.st_mode & 0o100 else 0o644)
    expected = {name: kind for name, kind in members.items() if name != "."}
    if found != expected or size > _limit("archive-max-size", MAX_SIZE):
        raise DokkuError("Archive contains something else than its headers say")


def _look_over(tree: str) -> None:
    """Drop .git at any depth. Raises: DokkuError for a link that leads out, or round and round."""
    top = os.path.realpath(tree)
    for parent, directories, names in os.walk(tree):
        for name in (*directories, *names):
            path = os.path.join(parent, name)
            if _is_git(name):
                log.warn(f"Dropping {values.printable(os.path.relpath(path, tree))} from the archive")
                files.remove(path)
            elif os.path.islink(path) and (not _is_beneath(top, path) or _is_loop(path)):
                raise DokkuError(_ESCAPE)
        directories[:] = [name for name in directories if not _is_git(name)]


def _is_beneath(top: str, path: str) -> bool:
    return os.path.commonpath([top, os.path.realpath(path)]) == top


def _is_loop(path: str) -> bool:
    try:
        os.stat(path)
    except OSError as error:
        return error.errno == errno.ELOOP
    return False

"""Archives as source: spooled, judged member by member, extracted by tar, looked at again.

All or nothing: an archive with one member that can't be judged or leaves its directory is refused before
anything is extracted.
"""

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from typing import IO, Any

from lib.base import log, properties, scratch, values
from lib.base.errors import DokkuError
from lib.tools import tar

TYPES = ("tar", "tar.gz", "zip")
STDIN = "--"
MAX_SIZE = 1024**3  # bytes, of the archive and of its content
MAX_FILES = 10_000
_CHUNK = 1024 * 1024


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
        archive, tree = os.path.join(place, "archive"), os.path.join(place, "tree")
        log.info1(f"Fetching {type_} file from stdin")
        log.plain(str(_spool(archive)))
        log.info1("Generating build context")
        strip = _judge(archive)
        os.mkdir(tree, 0o755)
        if strip:
            log.verbose(f"Striping {strip} worth of directories from tarball")
        tar.extract(archive, tree, strip)
        _normalise(tree)
        yield tree


def _limit(key: str, default: int) -> int:
    text = properties.get("git", properties.GLOBAL, key)
    return int(text) if values.is_number(text) else default


def _spool(path: str) -> int:
    """Copy stdin to a file; its size. Raises: DokkuError for a terminal, for nothing, for too much."""
    if os.isatty(0):
        raise DokkuError("Expecting archive on STDIN")
    limit, size = _limit("archive-max-size", MAX_SIZE), 0
    with open(path, "xb") as file:
        try:
            while chunk := os.read(sys.stdin.fileno(), _CHUNK):
                size += len(chunk)
                if size > limit:
                    raise DokkuError(f"Archive exceeds maximum allowed size of {limit} bytes")
                file.write(chunk)
        except OSError as error:
            raise DokkuError(f"Unable to read the archive: {error.strerror}") from error
    if not size:
        raise DokkuError("Empty archive")
    return size


def _judge(path: str) -> int:
    """How many leading directories all members share (0 or 1). Raises: DokkuError for anything doubtful."""
    import tarfile  # 22 ms

    try:
        with (
            open(path, "rb") as file,
            tarfile.open(fileobj=file, mode="r:gz" if _is_gzip(file) else "r:") as archive,
        ):
            members = _judged(archive)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise DokkuError("Archive does not look like a tar archive, or is cut off") from error
    if not members:
        raise DokkuError("Archive contains no files")
    tops = {name.split("/", 1)[0] for name in members if name != "."}
    inside = [name for name in members if "/" in name]
    only = next(iter(tops)) if len(tops) == 1 else ""
    return int(bool(inside) and bool(only) and members.get(only, "dir") == "dir")


def _judged(archive: Any) -> dict[str, str]:
    """Every member's normal name and kind. Raises: DokkuError for the first that must not be extracted."""
    seen: dict[str, str] = {}
    size = 0
    max_size, max_files = _limit("archive-max-size", MAX_SIZE), _limit("archive-max-files", MAX_FILES)
    for count, member in enumerate(archive, start=1):
        size += member.size
        if size > max_size:
            raise DokkuError(f"Archive exceeds maximum allowed size of {max_size} bytes")
        if count > max_files:
            raise DokkuError(f"Archive contains {count} entries which exceeds the maximum of {max_files}")
        name = _judged_name(member.name)
        kind = "dir" if member.isdir() else "file" if member.isreg() else "link" if member.issym() else ""
        if not kind:
            raise DokkuError(f"Archive contains unsupported entry {values.printable(member.name)}")
        if kind == "link":
            _judge_link(name, member.linkname)
        parents = ["/".join(name.split("/")[:depth]) for depth in range(1, name.count("/") + 1)]
        if seen.get(name, kind) != kind or any(seen.get(parent, "dir") != "dir" for parent in parents):
            raise DokkuError(f"Archive contains conflicting entries for {values.printable(name)}")
        seen.update({name: kind, **dict.fromkeys(parents, "dir")})
    return seen


def _judged_name(name: str) -> str:
    if name.startswith("/"):
        raise DokkuError("Archive contains entries with absolute paths")
    if ".." in name.split("/"):
        raise DokkuError("Archive contains entries with parent directory traversal")
    if values.has_control_characters(name) or "\\" in name:
        raise DokkuError(f"Archive contains unsupported entry {values.printable(name)}")
    return os.path.normpath(name)


def _judge_link(name: str, target: str) -> None:
    """A symbolic link may only point inside the tree, whichever way it is resolved."""
    if target.startswith("/"):
        raise DokkuError("Archive contains symlinks with absolute targets")
    landing = os.path.normpath(os.path.join(os.path.dirname(name), target))
    inside = landing.split("/")
    if inside[0] == ".." or ".git" in inside or values.has_control_characters(target):
        raise DokkuError("Archive contains symlinks pointing outside extraction directory")


def _is_gzip(file: IO[bytes]) -> bool:
    magic = file.read(2)
    file.seek(0)
    return magic == b"\x1f\x8b"


def _normalise(tree: str) -> None:
    """Plain modes, no .git at any depth; every link must stay inside. Raises: DokkuError otherwise."""
    top = os.path.realpath(tree)
    for parent, directories, names in os.walk(tree):
        for name in (*directories, *names):
            path = os.path.join(parent, name)
            mode = os.lstat(path).st_mode
            if name.casefold().rstrip(". ") in (".git", "git~1"):
                log.warn(f"Dropping {values.printable(os.path.relpath(path, tree))} from the archive")
                scratch.remove_tree(path) if stat.S_ISDIR(mode) else os.unlink(path)
            elif stat.S_ISLNK(mode):
                if os.path.commonpath([top, os.path.realpath(path)]) != top:
                    raise DokkuError("Archive contains symlinks pointing outside extraction directory")
            elif stat.S_ISDIR(mode):
                os.chmod(path, 0o755)
            else:
                os.chmod(path, 0o755 if mode & 0o100 else 0o644)
        directories[:] = [name for name in directories if os.path.isdir(os.path.join(parent, name))]

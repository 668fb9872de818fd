"""Archives as source: fetched, judged member by member, extracted by tar or unzip, looked at again.

All or nothing: an archive with one member that can't be judged or leaves its directory is refused before
anything is extracted.
"""

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator

from lib.base import files, log, scratch, values
from lib.base.errors import ArchiveRejected, DokkuError, ToolFailed
from lib.source import audits, downloads, limits, members, spools, tar_members, zip_members
from lib.source.limits import Limits
from lib.source.members import Member
from lib.tools import tar, unzip

TYPES = ("tar", "tar.gz", "zip")
STDIN = "--"
_CHECKSUM = re.compile(r"sha256:[0-9a-fA-F]{64}")
_VALID = f"valid archive types include: {', '.join(TYPES)}"
_MAGIC = {
    b"\x1f\x8b": "tar.gz",
    b"PK\3\4": "zip",
    b"PK\5\6": "zip",  # of nothing
    b"PK\7\x08": "zip",  # a part of one
    b"PK00": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x1f\x9d": "compress",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x5d\0\0": "lzma",
    b"LZIP": "lzip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "rar",
}


@contextlib.contextmanager
def unpacked(source: str, type_: str, checksum: str = "") -> Iterator[str]:
    """A directory with the content of an archive, for as long as the block lasts.

    source: an address on the web, or `--` for stdin. checksum: `sha256:` and 64 hex digits, when only that
    content will do. Raises: DokkuError for an archive we can't or won't unpack.
    """
    if type_ not in TYPES:
        raise DokkuError(f"Invalid archive type specified, {_VALID}")
    if not source:
        raise DokkuError("Please specify an archive url or -- to fetch the archive from stdin")
    if checksum and not _CHECKSUM.fullmatch(checksum):
        raise DokkuError("Invalid checksum specified, must be sha256: and 64 hexadecimal digits")
    if source != STDIN:
        downloads.verify_url(source)
    with scratch.directory("archive") as place:
        shown = "stdin" if source == STDIN else values.without_credentials(source)
        try:
            content = _content(source, type_, checksum.lower(), place, shown)
        except ArchiveRejected as rejected:
            audits.record(f"rejected_{rejected.reason}", type_, shown, rejected.text)
            raise
        yield content


def _content(source: str, type_: str, checksum: str, place: str, shown: str) -> str:
    """Fetch, judge and extract; the directory that holds what the archive is about."""
    archive, tree, content = (os.path.join(place, name) for name in ("archive", "tree", "content"))
    if source == STDIN:
        log.info1(f"Fetching {type_} file from stdin")
        log.plain(str(spools.copy_stdin(archive)))
    else:
        log.info1(f"Downloading {type_} file from {shown}")
        downloads.download(source, archive)
    if checksum:
        _verify(archive, checksum)
    log.info1("Generating build context")
    type_ = _known_type(archive, type_)
    audits.record("extraction_started", type_, shown, f"{os.path.getsize(archive)} bytes")
    found, top = _extracted(archive, tree, type_, limits.of_archives())
    os.unlink(archive)  # now, before it gets to the disk: a gigabyte is faster gone than written
    os.rename(os.path.join(tree, top), content)
    inside = {name.removeprefix(f"{top}/"): member for name, member in found.items() if name != top}
    _look_over(content, inside)
    audits.record("extraction_completed", type_, shown, f"{len(inside)} entries")
    return content


def _verify(archive: str, checksum: str) -> None:
    import hashlib

    with open(archive, "rb") as file:
        found = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    if found != checksum:
        raise ArchiveRejected("checksum", f"Archive does not have the checksum {checksum}, but {found}")


def _known_type(archive: str, announced: str) -> str:
    """tar, tar.gz or zip, from how the archive begins. Raises: ArchiveRejected for anything else."""
    with open(archive, "rb") as file:
        head = file.read(512)
    known = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")
    if known not in ("", "tar.gz") and tar_members.starts_here(head):
        known = "tar"  # whose first member has a funny name
    if known and known not in (*TYPES, "7z", "rar"):
        raise ArchiveRejected("type", f"Archive has an unsupported compression ({known}), {_VALID}")
    if known in ("7z", "rar") or (known and (known == "zip") != (announced == "zip")):
        text = f"Archive does not look like a {announced} archive (looks like {known.upper()})"
        raise ArchiveRejected("type", text)
    if not known and announced == "zip" and tar_members.starts_here(head):
        raise ArchiveRejected("type", "Archive does not look like a zip archive (looks like TAR)")
    found = known or ("zip" if announced == "zip" else "tar")
    if found != announced:
        log.warn(f"Archive looks like a {found} archive, and is taken for one")
    return found


def _extracted(archive: str, tree: str, type_: str, most: Limits) -> tuple[dict[str, Member], str]:
    """Judge an archive and extract it into a new directory; what it holds, and its only top directory."""
    is_zip = type_ == "zip"
    found = (
        zip_members.listed(archive, most) if is_zip else tar_members.listed(archive, type_ == "tar.gz", most)
    )
    top = members.judge_whole(found)
    _tell(type_, top)
    os.mkdir(tree, 0o755)
    largest = max(member.size for member in found.values())
    try:
        (unzip if is_zip else tar).extract(archive, tree, largest)
    except ToolFailed as error:
        raise ArchiveRejected("malformed", "Unable to extract the archive") from error
    _compare(tree, found)
    return found, top


def _tell(type_: str, top: str) -> None:
    """What happens to the top directory. Source: dokku v0.24.0 plugins/git/git-from-archive (sic)."""
    if type_ == "tar":
        log.verbose(f"Striping {1 if top else 0} worth of directories from tarball")
    else:
        log.verbose("Extracting zipball" if type_ == "zip" else "Extracting gzipped tarball")
    if top and type_ != "tar":
        log.verbose("Stripping top-level archive folder components")
    else:
        log.verbose("Moving unarchived files and folders into place")


def _compare(tree: str, members_: dict[str, Member]) -> None:
    """Give everything plain modes. Raises: ArchiveRejected when something else was made than was judged."""
    left = {name: member for name, member in members_.items() if name != "."}
    os.chmod(tree, 0o755)
    pending = [""]
    while pending:
        parent = pending.pop()
        with os.scandir(os.path.join(tree, parent)) as entries:
            for entry in entries:
                name = f"{parent}/{entry.name}" if parent else entry.name
                found = _made(entry)
                if not found or left.pop(name, None) != found:
                    raise members.different()
                if found.kind == "dir":
                    pending.append(name)
    if left:
        raise members.different()


def _made(entry: os.DirEntry[str]) -> Member | None:
    known = entry.stat(follow_symlinks=False)
    if stat.S_ISLNK(known.st_mode):
        return Member("link", target=os.readlink(entry.path))
    is_dir = stat.S_ISDIR(known.st_mode)
    if not is_dir and not stat.S_ISREG(known.st_mode):
        return None
    mode = 0o755 if is_dir or known.st_mode & 0o100 else 0o644
    if stat.S_IMODE(known.st_mode) != mode:
        os.chmod(entry.path, mode)
    return members.DIRECTORY if is_dir else Member("file", known.st_size)


def _look_over(tree: str, inside: dict[str, Member]) -> None:
    """Drop .git at any depth. Raises: ArchiveRejected for a link that leads out, or round and round."""
    top = os.path.realpath(tree)
    dropped = {_git_part(name) for name in inside} - {""}
    for name in sorted(dropped):
        log.warn(f"Dropping {values.printable(name)} from the archive")
        files.remove(os.path.join(tree, name))
    for name, member in inside.items():
        path = os.path.join(tree, name)
        if member.kind == "link" and not _git_part(name) and (not _is_beneath(top, path) or _is_loop(path)):
            raise members.escaping()


def _git_part(name: str) -> str:
    """The path of the topmost .git that a path leads to or through; empty if there is none."""
    parts = name.split("/")
    return next(
        ("/".join(parts[: i + 1]) for i, part in enumerate(parts) if values.is_git_directory(part)), ""
    )


def _is_beneath(top: str, path: str) -> bool:
    return os.path.commonpath([top, os.path.realpath(path)]) == top


def _is_loop(path: str) -> bool:
    try:
        os.stat(path)
    except OSError as error:
        return error.errno == errno.ELOOP
    return False

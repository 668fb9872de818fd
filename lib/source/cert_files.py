"""How a certificate and its key arrive: as two files on the host, or as a tar archive on stdin.

Source: dokku v0.24.0 plugins/certs/subcommands/add.
"""

import os
import sys

from lib.app import pem
from lib.base import log, scratch, settings
from lib.base.errors import ArchiveRejected, DokkuError
from lib.source import limits, members, spools, tar_members
from lib.tools import tar

_GZIP = b"\x1f\x8b"
_EXPECTED = "Tar archive containing server.crt and server.key expected on stdin"


def given(certificate: str, key: str) -> tuple[bytes, bytes]:
    """What the certificate's file and the key's hold. certificate, key: paths; without both, stdin is read.

    Raises: DokkuError for what is not there, can't be read, or is no archive with one of each.
    """
    if certificate and key:
        return _read(certificate, "CRT"), _read(key, "KEY")
    stdin = sys.stdin.fileno() if sys.stdin else 0
    if os.isatty(stdin):
        raise DokkuError(_EXPECTED)
    scratch.sweep()  # a killed one leaves a key
    with scratch.directory("certificate") as place:
        archive = os.path.join(place, "archive")
        try:
            spools.copy_stdin(archive)
        except ArchiveRejected as rejected:
            raise DokkuError(_EXPECTED if rejected.reason == "empty" else rejected.text) from None
        return _from_archive(archive, os.path.join(place, "tree"))


def _from_archive(archive: str, tree: str) -> tuple[bytes, bytes]:
    with open(archive, "rb") as file:
        compressed = file.read(2) == _GZIP
    found = tar_members.listed(archive, compressed, limits.of_archives())
    members.judge_whole(found)
    names = [_only(found, kind) for kind in ("crt", "key")]
    os.mkdir(tree, 0o700)
    tar.extract(archive, tree, max(member.size for member in found.values()))
    for name in names:
        log.plain(name)
    certificate, key = (_opened(tree, name) for name in names)
    return _read(certificate, "CRT"), _read(key, "KEY")


def _opened(tree: str, name: str) -> str:
    """The path of a member, which may be read whatever modes the archive has given to it and those above."""
    path = tree
    for part in name.split("/"):
        path = os.path.join(path, part)
        os.chmod(path, 0o700)
    return path


def _only(found: dict[str, members.Member], kind: str) -> str:
    """The one file of a kind, hidden ones left out: archives made on a Mac hold a `._NAME` beside each."""
    names = [
        name
        for name, member in found.items()
        if member.kind == "file" and name.endswith(f".{kind}") and not f"/{name}".count("/.")
    ]
    if not names:
        raise DokkuError(f"Tar archive is missing .{kind} file")
    if len(names) > 1:
        raise DokkuError(f"Tar archive contains more than one .{kind} file")
    return names[0]


def _read(path: str, which: str) -> bytes:
    text = f"{which} file specified not found, please check file paths"
    try:
        if not os.path.isfile(path):
            os.stat(path)
            raise DokkuError(text)
        with open(path, "rb") as file:
            content = file.read(pem.LARGEST + 1)
    except PermissionError:
        raise DokkuError(text, more=(f"User {settings.user()} is not allowed to read it",)) from None
    except (OSError, ValueError):
        raise DokkuError(text) from None
    if len(content) > pem.LARGEST:
        raise DokkuError(f"{which} file is larger than {pem.LARGEST} bytes")
    return content

"""Archives of images, as `docker image save` writes them: what docker gets to load is written anew.

Such an archive may hold many images under any names, another app's too. Its members are copied as they come,
but for the files that name images: they come last, and name the one that was asked for, or none. Nothing is
extracted. Source: the Docker Image Specification v1.2, manifest.json; the OCI Image Layout, index.json.
"""

import json
import posixpath
from collections.abc import Mapping, Sequence
from typing import IO, Any

from lib.app.image_names import canonical
from lib.base.errors import DokkuError
from lib.base.values import printable

LARGEST = 4 * 1024 * 1024  # bytes of a file that names images, and of a header
MOST = 100_000  # members

_MANIFEST, _INDEX, _LAYOUT = "manifest.json", "index.json", "oci-layout"
_NAMING = (_MANIFEST, _INDEX, _LAYOUT, "repositories")
_NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")  # annotations
_SHOWN = 20  # names in a message


def copy(source: IO[bytes], target: IO[bytes], wanted: str) -> None:
    """Copy an archive, compressed or not, so that docker loads the image of one name and nothing else.

    Raises: DokkuError for an archive without it, or one that no docker wrote; the copy holds no image then.
    """
    import tarfile  # 22 ms

    naming: dict[str, bytes] = {}
    refused: DokkuError | None = None
    with tarfile.open(fileobj=target, mode="w|") as copied:
        try:
            _copy_members(source, copied, naming, wanted)
            chosen = _chosen(naming, canonical(wanted), wanted)
        except DokkuError as error:
            refused, chosen = error, {_MANIFEST: b"[]"}
        for name, content in chosen.items():
            _add(copied, name, content)
    if refused:
        raise refused


def _copy_members(source: IO[bytes], copied: Any, naming: dict[str, bytes], wanted: str) -> None:
    """naming: gets the files that name images."""
    import lzma
    import tarfile
    import zlib

    links: set[str] = set()
    try:
        with tarfile.open(fileobj=source, mode="r|*", tarinfo=_member_type()) as archive:
            for count, member in enumerate(archive, 1):
                archive.members = []  # type: ignore[attr-defined]  # else it keeps them all
                name = _judged(member, links, count)
                if name in _NAMING:
                    if not member.isreg() or member.size > LARGEST or name in naming:
                        raise DokkuError(
                            f"The image archive has a {name} that is too large, or no single file"
                        )
                    content = archive.extractfile(member)
                    naming[name] = content.read() if content else b""
                    continue
                member.name, member.pax_headers = name, {}
                copied.addfile(member, archive.extractfile(member) if member.isreg() else None)
                copied.members = []
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        reason = "STDIN is not what docker image save writes, or was cut off"
        raise DokkuError(f"Failed to load image: {wanted}", more=(reason,)) from error


def _judged(member: Any, links: set[str], count: int) -> str:
    """A member's normal name. Raises: DokkuError for what no archive of an image needs."""
    name: str = posixpath.normpath(member.name)
    parents = [name[:at] for at, letter in enumerate(name) if letter == "/"]
    linked = member.issym() or member.islnk()
    base = posixpath.dirname(name) if member.issym() else ""
    target = posixpath.normpath(posixpath.join(base, member.linkname)) if linked else ""
    leaves = any(path.startswith("/") or path.split("/")[0] == ".." for path in (name, target))
    known = member.isreg() or member.isdir() or linked
    if count > MOST or leaves or not known or member.issparse() or links.intersection(parents):
        shown = printable(member.name)[:300]
        raise DokkuError(f"The image archive has an entry that docker image save does not write: {shown}")
    if member.issym():
        links.add(name)
    return name


def _chosen(naming: Mapping[str, bytes], name: str, wanted: str) -> dict[str, bytes]:
    """The files that name the image alone."""
    try:
        if _MANIFEST in naming:
            images = json.loads(naming[_MANIFEST])
            found = [one for one in images if name in map(canonical, one.get("RepoTags") or [])]
            others = [tag for one in images for tag in one.get("RepoTags") or []]
            if found:
                layers = [_text(layer) for layer in found[-1].get("Layers") or []]
                kept = {"Config": _text(found[-1]["Config"]), "RepoTags": [name], "Layers": layers}
                return {_MANIFEST: json.dumps([kept]).encode()}
        else:
            index = json.loads(naming.get(_INDEX, b"{}"))
            others = [text for one in index.get("manifests") or [] for text in _names_of(one)]
            found = [one for one in index.get("manifests") or [] if name in map(canonical, _names_of(one))]
            if found:
                return {_LAYOUT: naming.get(_LAYOUT, b""), _INDEX: _index_of(found[-1], name)}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DokkuError("The image archive names its images in a way that can't be read") from None
    raise DokkuError(
        f"Loaded image tarball but the specified docker image was not found: {wanted}",
        more=(_listing(others),),
    )


def _index_of(found: Mapping[str, Any], name: str) -> bytes:
    kept = {key: found[key] for key in ("mediaType", "digest", "size", "platform") if key in found}
    domain = name.split("/")[0] if "/" in name else ""
    is_full = "." in domain or ":" in domain or domain == "localhost"
    full = name if is_full else f"docker.io/{name}" if "/" in name else f"docker.io/library/{name}"
    named = {**kept, "annotations": {_NAMES[0]: full, _NAMES[1]: name.rpartition(":")[2]}}
    return json.dumps({"schemaVersion": 2, "manifests": [named]}).encode()


def _names_of(descriptor: Mapping[str, Any]) -> list[str]:
    notes = descriptor.get("annotations") or {}
    return [str(notes[key]) for key in _NAMES if key in notes]


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(printable(str(name))[:100] for name in names[:_SHOWN])
    return f"The archive holds {shown}" if shown else "The archive holds no image with a name"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _add(copied: Any, name: str, content: bytes) -> None:
    import io
    import tarfile

    member = tarfile.TarInfo(name)
    member.size = len(content)
    copied.addfile(member, io.BytesIO(content))


def _member_type() -> Any:
    """tarfile's type of a member, without headers that would fill our memory."""
    import tarfile

    class Member(tarfile.TarInfo):
        def _proc_pax(self, archive: Any) -> Any:
            return super()._proc_pax(_within(self, archive))  # type: ignore[misc]

        def _proc_gnulong(self, archive: Any) -> Any:
            return super()._proc_gnulong(_within(self, archive))  # type: ignore[misc]

        def _proc_gnusparse_10(self, *_: Any) -> Any:
            raise tarfile.ReadError("sparse")

    def _within(member: Any, archive: Any) -> Any:
        if member.size > LARGEST:
            raise tarfile.ReadError("a header is too large")
        return archive

    return Member

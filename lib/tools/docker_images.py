"""docker, for containers that run to their end, and for images put together from layers it already has."""

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence

from lib.base import run, settings
from lib.base.errors import DokkuError, ToolFailed
from lib.tools import docker


def compose(like: docker.Json, layers: Sequence[str], labels: Mapping[str, str], name: str) -> None:
    """Make an image of layers, named by their digests, that runs as another one does, and give it a name.

    like: what docker knows of that other one. The archive that docker loads holds no layers: its own store
    (20.10 to 28) has them. The containerd store wants them all the same. Raises: ToolFailed then.
    """
    archive = _archive(_description(like, layers, labels), len(layers), name)
    done = run.result(settings.docker(), "image", "load", "--quiet", stdin=archive, timeout=docker.QUICK * 4)
    if done.status:
        said = " ".join(done.errors.decode("utf-8", "replace").split())
        raise ToolFailed("docker", done.status, f"docker load: {said}")


def commit(container: str, name: str, changes: Sequence[str]) -> str:
    """Make an image of a container as it is now; its id. changes: lines of a Dockerfile."""
    flags = [f"--change={change}" for change in changes]
    argv = [settings.docker(), "container", "commit", *flags, container, *([name] if name else [])]
    return run.capture(*argv, timeout=docker.TRANSFER).strip()


@contextlib.contextmanager
def empty() -> Iterator[str]:
    """An image without a file, gone after the block: its containers have what is mounted."""
    nothing = bytes(10240)  # a tar archive of nothing
    id_ = run.capture(settings.docker(), "image", "import", "-", stdin=nothing, timeout=docker.QUICK).strip()
    try:
        yield id_
    finally:
        with contextlib.suppress(DokkuError):
            run.result(settings.docker(), "image", "rm", "--", id_, timeout=docker.QUICK)


def tags(pattern: str) -> list[str]:
    """The tags of all images whose names match, `dokku/blog:v*`."""
    argv = [settings.docker(), "image", "ls", "--format={{.Tag}}", f"--filter=reference={pattern}"]
    return run.capture(*argv, timeout=docker.QUICK).split()


def attend(container: str, each: Callable[[bytes], None]) -> int:
    """Start a container and hand over what it says, line by line as it comes; its status.

    The client hands a signal on to it, and ends with it. Nothing is on its stdin.
    """
    argv = [settings.docker(), "container", "start", "--attach", container]
    try:
        run.stream(*argv, each=each, merged=True)
    except ToolFailed as error:
        return error.status
    return 0


def _description(like: docker.Json, layers: Sequence[str], labels: Mapping[str, str]) -> bytes:
    import json  # 8 ms

    known = like.get("Config") or {}
    config = {**known, "Labels": {**(known.get("Labels") or {}), **labels}}
    made = like.get("Created") or "1970-01-01T00:00:00Z"
    platform = {"architecture": like.get("Architecture", ""), "os": like.get("Os") or "linux"}
    if like.get("Variant"):
        platform["variant"] = like["Variant"]
    steps = [{"created": made, "created_by": "dokku"} for _ in layers]
    rootfs = {"type": "layers", "diff_ids": list(layers)}
    return json.dumps(
        {**platform, "created": made, "config": config, "rootfs": rootfs, "history": steps}, sort_keys=True
    ).encode()


def _archive(description: bytes, count: int, name: str) -> bytes:
    import hashlib
    import json
    import tarfile  # 22 ms

    file = f"{hashlib.sha256(description).hexdigest()}.json"
    layers = [f"{number}/layer.tar" for number in range(count)]
    manifest = json.dumps([{"Config": file, "RepoTags": [name], "Layers": layers}]).encode()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, content in ((file, description), ("manifest.json", manifest)):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()

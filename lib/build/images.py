"""An app's images: their names, what is in them, and which are no longer needed.

Source: dokku v0.24.0 plugins/common.
"""

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from lib.app import source_files
from lib.base import files, log, settings, triggers
from lib.base.errors import DokkuError, OutputTooLarge
from lib.tools import docker

FILE_LIMIT = 1024 * 1024  # bytes of a Procfile, CHECKS or app.json
FILES = ("Procfile", "DOKKU_SCALE", "CHECKS", "app.json", "nginx.conf.sigil")
KINDS = ("dockerfile", "herokuish", "pack")
APP_LABEL, BUILDER_LABEL = "com.dokku.app-name", "com.dokku.builder-type"
_WORKDIRS = {"herokuish": "/app", "pack": "/workspace"}
_files: dict[tuple[str, str], dict[str, str]] = {}  # app, image id: what `read_files` found, for one process


class Image(NamedTuple):
    """kind: how it runs: as a dockerfile, herokuish or pack image; those of other builders are one of these.

    ports: `5000/tcp` as exposed. tagged: when its name was last set. builder: who built it, from its labels;
    empty for an image that does not say.
    """

    id: str
    name: str
    kind: str
    workdir: str
    ports: list[str]
    entrypoint: list[str]
    tagged: str
    builder: str = ""
    app: str = ""


def name(app: str, tag: str = "latest") -> str:
    return f"dokku/{app}:{tag or 'latest'}"


def deploying_name(app: str, tag: str = "latest") -> str:
    """The name to deploy from: plugins may put a registry, a repository and a tag of their own in it."""
    registry = triggers.ask("deployed-app-repository", app).strip()
    repository = triggers.ask("deployed-app-image-repo", app).strip() or f"dokku/{app}"
    chosen = triggers.ask("deployed-app-image-tag", app).strip() or tag or "latest"
    return f"{registry}{repository}:{chosen}"


def find(wanted: str) -> Image | None:
    """What docker knows of an image; None when there is none of that name."""
    found = docker.inspect_images(wanted)
    return _image(wanted, found[0]) if found else None


def find_by_id(*ids: str) -> dict[str, Image]:
    """What docker knows of some images, in one question; those that are gone are absent."""
    return {known["Id"]: _image(known["Id"], known) for known in docker.inspect_images(*ids)} if ids else {}


def verify(app: str, tag: str = "latest") -> Image:
    """The image to deploy. Raises: DokkuError when there is none."""
    wanted = deploying_name(app, tag)
    image = find(wanted)
    if image is None:
        raise DokkuError(f"App image ({wanted}) not found")
    return image


def labels(app: str, builder: str) -> dict[str, str]:
    """The labels by which an image is known to be an app's, and who built it."""
    return {
        **settings.LABELS,
        APP_LABEL: app,
        "com.dokku.image-stage": "release",
        BUILDER_LABEL: builder,
    }


def is_labelled(image: Image, app: str, builder: str) -> bool:
    """Whether an image says whose it is and who built it."""
    return (image.app, image.builder) == (app, builder)


def read_files(app: str, image: Image) -> dict[str, str]:
    """The FILES that the image has below its working directory, by name, with unix line ends.

    One that the app keeps elsewhere comes from there, if it is there.
    A link, a device or something large counts as absent: the image's author decides what is in there. What
    was read is kept: an image never changes, and a build with nothing new gives the same one.
    """
    if (app, image.id) in _files:
        return _files[app, image.id]
    found = kept_files(app, image.id)
    if found is None:
        marks = {**settings.LABELS, APP_LABEL: app, "com.dokku.container-type": "peek"}
        container = docker.create("", image.id, ["true"], marks, [])
        try:
            archives = [(name, _archive(container, place)) for name, place in _places(app, image.workdir)]
        finally:
            docker.remove(container, has_data=False)
        texts = [(name, _only_file(data)) for name, data in archives if data]
        found = {name: text for name, text in texts if text is not None}
        _keep_files(app, image, found)
    _files[app, image.id] = found
    return found


def kept_files(app: str, id_: str) -> dict[str, str] | None:
    """What `read_files` last found for the app, without asking docker; None if it was in another image."""
    kept = _kept(app)
    if kept["id"] != id_ or kept["places"] != _places(app, kept["workdir"]):
        return None
    return {name: str(text) for name, text in kept["files"].items()}


def last_read(app: str) -> dict[str, str]:
    """What was last read out of an image of the app; nothing before the first one."""
    return {name: str(text) for name, text in _kept(app)["files"].items()}


@contextlib.contextmanager
def restored_on_failure(app: str, unless: Callable[[], bool]) -> Iterator[Image | None]:
    """When the block fails, dokku/APP:latest is again the image it was before, which the block gets.

    unless: whether the new image serves all the same; then it keeps its name.
    """
    before = find(name(app))
    try:
        yield before
    except BaseException:
        if unless():
            raise
        if before:
            docker.tag(before.id, name(app))
        else:
            docker.remove_image(name(app))
        remove_unused(app)
        raise


def remove_unused(app: str) -> None:
    """Remove images of the app that have lost their name and that no container needs; say what that gave.

    Other layers stay cached.
    """
    space = docker.prune_images("dangling=true", f"label=com.dokku.app-name={app}")
    if space:
        log.info1_quiet(f"Removed images that are no longer needed, {space}")


def remove_all(app: str) -> None:
    """Remove every image of an app that is going away, and what is known of them."""
    files.remove(settings.data("builder", app))
    for image in docker.images(f"label=com.dokku.app-name={app}"):
        for known in docker.inspect_images(image):
            for tag in known.get("RepoTags") or [image]:
                docker.remove_image(tag)


def _kept(app: str) -> dict[str, Any]:
    """What `_keep_files` wrote; empty when there is none, or none that can be read."""
    empty = {"id": "", "workdir": "", "places": [], "files": {}}
    try:
        kept = json.loads(files.read(_files_path(app)))
    except ValueError:
        return empty
    as_written = isinstance(kept, dict) and all(
        isinstance(kept.get(key), type(value)) for key, value in empty.items()
    )
    return kept if as_written else empty


def _keep_files(app: str, image: Image, found: dict[str, str]) -> None:
    places = _places(app, image.workdir)
    kept = {"id": image.id, "workdir": image.workdir, "places": places, "files": found}
    with contextlib.suppress(OSError):  # the next deploy reads them again
        files.replace(_files_path(app), json.dumps(kept))


def _places(app: str, workdir: str) -> list[list[str]]:
    """Where in an image the FILES may be: pairs of name and path, of which the last that is there counts."""
    chosen = source_files.places(app).items()
    return [[name, os.path.join(workdir, path)] for name, path in (*zip(FILES, FILES, strict=True), *chosen)]


def _files_path(app: str) -> str:
    return os.path.join(settings.data("builder", app), "image-files.json")


def _image(wanted: str, known: docker.Json) -> Image:
    settings_ = known.get("Config") or {}
    marks = settings_.get("Labels") or {}
    kind = _kind(marks, settings_.get("Env") or [])
    return Image(
        id=known["Id"],
        name=wanted,
        kind=kind,
        workdir=_WORKDIRS.get(kind) or str(settings_.get("WorkingDir") or "/"),
        ports=sorted(settings_.get("ExposedPorts") or {}),
        entrypoint=settings_.get("Entrypoint") or [],
        tagged=str((known.get("Metadata") or {}).get("LastTagTime", "")),
        builder=marks.get(BUILDER_LABEL, ""),
        app=marks.get(APP_LABEL, ""),
    )


def _kind(marks: dict[str, str], env: list[str]) -> str:
    """What an image says of itself; else what it looks like, as dokku v0.24.0 has it."""
    if marks.get(BUILDER_LABEL) in KINDS:
        return marks[BUILDER_LABEL]
    if marks.get("io.buildpacks.stack.id"):
        return "pack"
    return "herokuish" if "USER=herokuishuser" in env else "dockerfile"


def _archive(container: str, place: str) -> bytes | None:
    """A file of a container as a tar archive; None for none, and for something large."""
    try:
        return docker.copy_out(container, place, most=FILE_LIMIT + 64 * 1024)
    except OutputTooLarge:
        return None


def _only_file(data: bytes) -> str | None:
    import tarfile  # 22 ms

    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
        if len(members) != 1 or not members[0].isreg() or members[0].size > FILE_LIMIT:
            return None
        content = archive.extractfile(members[0])
        text = content.read().decode("utf-8", "surrogateescape") if content else ""
    return text.replace("\r\n", "\n")

"""The layer that a predeploy task leaves on an app's image: put on, and taken off before the task runs again.

Labels say which layer it is and which one was the last of the build; else each restart would add layers, of
which docker takes 125. Source: dokku v0.24.0 plugins/app-json, which commits a container on every deploy.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence

from lib.app import config
from lib.base import log, signals
from lib.base.errors import ToolFailed
from lib.build import herokuish, images
from lib.tools import docker, docker_images

LAYER = "com.dokku.predeploy-layer"  # of an image: the digest of the layer that the task left
BUILT_LAYER = "com.dokku.predeploy-built-layer"  # and of the last one below it that the build left

_NOT_INHERITED = ("dokku_phase_script", "com.dokku.container-type")


@contextlib.contextmanager
def as_built(app: str, image: images.Image) -> Iterator[str]:
    """The id of an image without what a predeploy task left on it, for the block."""
    known = docker.inspect_images(image.id)[0]
    layers = _layers(known)
    if not _has_it_on_top(known):
        yield image.id
        return
    name = images.name(app, "predeploy")
    is_made = _compose(known, layers[:-1], {LAYER: ""}, name)
    found = images.find(name) if is_made else None
    try:
        yield found.id if found else image.id
    finally:
        if found:
            with signals.deferred():
                docker.remove_image(name)


def take_off(image: images.Image) -> None:
    """Let an image's name mean what its build left, where herokuish makes its release of it next.

    Its release adds a layer, too: both go.
    """
    if image.kind != herokuish.NAME:
        return
    known = docker.inspect_images(image.id)[0]
    layers, last = _layers(known), _labels(known).get(BUILT_LAYER)
    if _has_it_on_top(known) and last in layers:
        _compose(known, layers[: layers.index(last) + 1], {LAYER: ""}, image.name)


def commit(app: str, image: images.Image, base: str, container: str) -> None:
    """Make the container's files the image of that name, which for the rest stays as it was built.

    docker's own commit would put the app's variables into it for good. base: the id of what the container was
    made of. Raises: ToolFailed.
    """
    like = docker.inspect_images(base)[0]
    with signals.deferred():
        left = docker_images.commit(container, "", [])
        try:
            layers = _layers(docker.inspect_images(left)[0])
            labels = {"com.dokku.predeploy-phase": "true", LAYER: layers[-1], BUILT_LAYER: _last_built(like)}
            if not _compose(like, layers, labels, image.name):
                docker_images.commit(container, image.name, _changes(app, like, labels))
        finally:
            docker.remove_image(left)


def _compose(like: docker.Json, layers: Sequence[str], labels: Mapping[str, str], name: str) -> bool:
    """Whether docker's store puts layers together."""
    try:
        docker_images.compose(like, layers, labels, name)
    except ToolFailed as error:
        log.debug(error.text)
        return False
    return True


def _last_built(known: docker.Json) -> str:
    """The digest of the last layer that the build left: herokuish puts one of a release above it."""
    marks = _labels(known)
    built = docker.inspect_images(marks[herokuish.BUILT]) if marks.get(herokuish.BUILT) else []
    return (_layers(built[0])[-1:] or [""])[0] if built else marks.get(BUILT_LAYER, "")


def _has_it_on_top(known: docker.Json) -> bool:
    mark = _labels(known).get(LAYER)
    return bool(mark) and _layers(known)[-1:] == [mark]


def _layers(known: docker.Json) -> list[str]:
    return list((known.get("RootFS") or {}).get("Layers") or [])


def _labels(known: docker.Json) -> dict[str, str]:
    return (known.get("Config") or {}).get("Labels") or {}


def _changes(app: str, like: docker.Json, labels: Mapping[str, str]) -> list[str]:
    """What a commit has to be told so that its image runs as another one does, without the app's values."""
    known = like.get("Config") or {}
    before = dict(entry.partition("=")[::2] for entry in known.get("Env") or [])
    values = {**dict.fromkeys(config.merged(app), ""), **before}
    marks = {**labels, **dict.fromkeys(_NOT_INHERITED, "")}
    return [
        *(f"ENV {key}={_quoted(value)}" for key, value in values.items()),
        f"ENTRYPOINT {json.dumps(known.get('Entrypoint') or [])}",
        f"CMD {json.dumps(known.get('Cmd') or [])}",
        *(f"LABEL {key}={json.dumps(value)}" for key, value in marks.items()),
    ]


def _quoted(value: str) -> str:
    """A value for a line of a Dockerfile, which would fill in variables."""
    return '"' + "".join(f"\\{letter}" if letter in '"\\$' else letter for letter in value) + '"'

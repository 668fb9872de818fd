"""storage:* - directories of the host and docker volumes in an app's containers: `HOST:CONTAINER[:OPTIONS]`.

A mount is a docker option `-v MOUNT` of the phases deploy and run, so that plugins and people find it there.
Source: dokku v0.24.0 plugins/storage.
"""

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lib.app import apps, options
from lib.base import log
from lib.base.errors import DokkuError
from lib.base.report import Row
from lib.base.values import printable

PHASES = ("deploy", "run")

_FLAGS = ("-v", "--volume")
_VOLUME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_OPTIONS = re.compile(r"[a-zA-Z0-9,=_-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_PATHS = "Storage path must be two valid paths divided by colon."
_BAD_VOLUME = (
    "Volume name must be two characters or more. Volume name must not contain invalid characters. "
    + _BAD_PATHS
)


class Mount(NamedTuple):
    """host: an absolute path, or a volume's name. options: as docker has them, `ro`; mostly empty."""

    host: str
    container: str
    options: str = ""

    def __str__(self) -> str:
        return ":".join(filter(None, self))


def mounts(app: str, phase: str) -> list[str]:
    """What is mounted in the containers of a phase, as it was written."""
    return [spec for line in options.lines(app, phase) for spec in _mounted(line)]


def mount(app: str, spec: str) -> None:
    """Mount something in the containers of the next deploy and in one-off ones.

    Raises: DokkuError for what can't be mounted, or is already.
    """
    apps.verify_app_name(app)
    parse(spec)
    if any(spec in mounts(app, phase) for phase in PHASES):
        raise DokkuError("Mount path already exists.")
    for phase in PHASES:
        for other in mounts(app, phase):
            if _place(other) == _place(spec):
                raise DokkuError(f"{_place(spec)} is taken by {printable(other)}: unmount that first")
    options.add(app, PHASES, f"-v {shlex.quote(spec)}")


def unmount(app: str, spec: str) -> None:
    """Take a mount away again, exactly this one. Raises: DokkuError when there is none."""
    apps.verify_app_name(app)
    found = [phase for phase in PHASES if spec in mounts(app, phase)]
    if not found:
        raise DokkuError("Mount path does not exist.")
    for phase in found:
        options.rewrite(app, phase, lambda before: [kept for one in before if (kept := _without(one, spec))])


def show(app: str, shape: str) -> None:
    """Print the mounts of deployed containers: a line each, or (json) an array of objects."""
    apps.verify_app_name(app)
    found = mounts(app, "deploy")
    if shape == "json":
        import json

        log.plain(json.dumps([_as_object(split(spec)) for spec in found], separators=(",", ":")))
        return
    if shape != "stdout":
        raise DokkuError(f"Invalid output format specified, supported formats: json, stdout: {shape}")
    log.plain_quiet(f"{app} volume bind-mounts:")
    for spec in found:
        log.plain(spec if log.is_quiet() else f"     {spec}")


def rows(app: str) -> list[Row]:
    """What storage:report knows of an app."""
    return [
        Row(f"--storage-{phase}-mounts", " ".join(f"-v {spec}" for spec in mounts(app, phase)))
        for phase in options.PHASES
    ]


def parse(spec: str) -> Mount:
    """A mount that docker would take. Raises: DokkuError with Dokku's sentences for any other."""
    found = split(spec)
    is_path = spec.startswith("/")
    if not is_path and not _VOLUME.fullmatch(found.host):
        raise DokkuError(_BAD_VOLUME)
    paths = [found.container, *([found.host] if is_path else [])]
    is_whole = spec.count(":") in (1, 2) and not spec.endswith(":") and not _CONTROL.search(spec)
    has_options = not found.options or _OPTIONS.fullmatch(found.options)
    if not is_whole or not has_options or not all(map(_is_path, paths)) or not found.container.strip("/"):
        raise DokkuError(_BAD_PATHS if is_path else _BAD_VOLUME)
    return found


def split(spec: str) -> Mount:
    """The parts of a mount as it was written, whether docker takes it or not."""
    host, container, more = [*spec.split(":", 2), "", ""][:3]
    return Mount(host, container, more)


def _place(spec: str) -> str:
    """Where in a container something is mounted, as docker compares it."""
    return posixpath.normpath(split(spec).container)


def _is_path(text: str) -> bool:
    return text.startswith("/") and ".." not in text.split("/")


def _as_object(mount: Mount) -> dict[str, str]:
    known = {"host_path": mount.host, "container_path": mount.container, "volume_options": mount.options}
    return {key: text for key, text in known.items() if text or key != "volume_options"}


def _mounted(line: str) -> list[str]:
    return [spec for _, spec in _options_in(options.words(line)) if spec]


def _without(line: str, spec: str) -> str:
    """A line of options that loses a mount; as it was when it has none of it."""
    if line.startswith("#") or spec not in _mounted(line):
        return line
    return shlex.join(
        word for words, mounted in _options_in(options.words(line)) if mounted != spec for word in words
    )


def _options_in(words: Sequence[str]) -> Iterator[tuple[list[str], str]]:
    """The words of a line, those of a mount together with what it mounts: (words, mount or nothing)."""
    rest = iter(words)
    for word in rest:
        flag, equals, value = word.partition("=")
        if word in _FLAGS:
            value = next(rest, "")
            yield [word, value], value
        elif equals and flag in _FLAGS:
            yield [word], value
        elif word.startswith("-v/"):
            yield [word], word.removeprefix("-v")
        else:
            yield [word], ""

"""The file in an app's source that tells a builder what to do, and where an app keeps it.

A builder looks for its file at the top of the source; a property says that an app has it elsewhere.
Source: dokku 0.38 plugins/builder-pack, builder-nixpacks, builder-railpack.
"""

import os
from typing import NamedTuple

from lib.base import files, log, properties, values
from lib.base.errors import DokkuError
from lib.base.report import Row


class Plan(NamedTuple):
    """key: the property that holds a path. name: where the builder looks."""

    key: str
    name: str


PLANS = {
    "dockerfile": Plan("dockerfile-path", "Dockerfile"),
    "pack": Plan("projecttoml-path", "project.toml"),
    "nixpacks": Plan("nixpackstoml-path", "nixpacks.toml"),
    "railpack": Plan("railpackjson-path", "railpack.json"),
}


def set_path(builder: str, app: str, key: str, value: str) -> None:
    """Say where an app (or GLOBAL: every app) keeps the file; without a value, forget it.

    Raises: DokkuError for another key, and for a path that leads out of the source.
    """
    known = PLANS[builder].key
    if not key:
        raise DokkuError("No key specified")
    if key != known:
        raise DokkuError(f"Invalid key specified, valid keys include: {known}")
    if not value:
        log.info2_quiet(f"Unsetting {key}")
        properties.delete(f"builder-{builder}", app, key)
        return
    if not _stays_inside(value):
        raise DokkuError(f"Invalid {key} specified: {values.printable(value)}")
    log.info2_quiet(f"Setting {key} to {value}")
    properties.write(f"builder-{builder}", app, key, value)


def path(builder: str, app: str) -> str:
    """Where an app keeps the file: its own choice, the global one, or the builder's name for it."""
    own, general = _own(builder, app), _own(builder, properties.GLOBAL)
    return own or general or PLANS[builder].name


def place(builder: str, app: str, tree: str) -> None:
    """Put the file that was chosen where the builder looks; with none there, the builder finds none."""
    name, chosen = PLANS[builder].name, path(builder, app)
    if os.path.normpath(chosen) == name:
        return
    text = files.read_beneath(tree, chosen)
    files.remove(os.path.join(tree, name))
    if text is not None:
        files.replace(os.path.join(tree, name), text, mode=0o644)


def is_there(builder: str, tree: str) -> bool:
    return files.read_beneath(tree, PLANS[builder].name) is not None


def verify(builder: str, tree: str) -> None:
    """Raises: DokkuError for a file that the builder would read somewhere else on the host."""
    name = PLANS[builder].name
    if os.path.lexists(os.path.join(tree, name)) and not is_there(builder, tree):
        raise DokkuError(f"{name} is no file of the source, or too large")


def rows(builder: str, app: str) -> list[Row]:
    """What a builder's report knows of an app."""
    key = PLANS[builder].key
    return [*general_rows(builder, app), Row(f"--builder-{builder}-{key}", _own(builder, app))]


def general_rows(builder: str, app: str = properties.GLOBAL) -> list[Row]:
    """What it knows of every app."""
    key = PLANS[builder].key
    return [
        Row(f"--builder-{builder}-computed-{key}", path(builder, app)),
        Row(f"--builder-{builder}-global-{key}", _own(builder, properties.GLOBAL)),
    ]


def _own(builder: str, app: str) -> str:
    return properties.get(f"builder-{builder}", app, PLANS[builder].key)


def _stays_inside(value: str) -> bool:
    parts = value.split("/")
    return not value.startswith("/") and ".." not in parts and not values.has_control_characters(value)

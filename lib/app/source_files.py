"""Files by which an app's source tells how it is run: app.json, Procfile, a template for nginx; and where.

Source: dokku 0.38 plugins/app-json, ps and nginx-vhosts; before, they were at the top and nowhere else.
"""

import os
from typing import NamedTuple

from lib.base import files, log, properties, values
from lib.base.errors import DokkuError
from lib.base.report import Row


class SourceFile(NamedTuple):
    """name: where it is by default. key: the property of a plugin that says otherwise."""

    name: str
    plugin: str
    key: str


APP_JSON = SourceFile("app.json", "app-json", "appjson-path")
PROCFILE = SourceFile("Procfile", "ps", "procfile-path")
NGINX_TEMPLATE = SourceFile("nginx.conf.sigil", "nginx", "nginx-conf-sigil-path")
ALL = (APP_JSON, PROCFILE, NGINX_TEMPLATE)
MOST_BYTES = 1024 * 1024


def path(file: SourceFile, app: str) -> str:
    """Where an app keeps it, below the top of its source: as it says, as is said for all, or where usual."""
    return os.path.normpath(_own(file, app) or _own(file, properties.GLOBAL) or file.name)


def places(app: str) -> dict[str, str]:
    """Path by usual name, of those that an app keeps elsewhere."""
    found = {file.name: path(file, app) for file in ALL}
    return {name: place for name, place in found.items() if place != name}


def set_path(file: SourceFile, app: str, key: str, value: str) -> None:
    """Say where an app (or GLOBAL: every app) keeps it; without a value, forget it.

    Raises: DokkuError for another key, and for a path that leads out of the source.
    """
    if not key:
        raise DokkuError("No key specified")
    if key != file.key:
        raise DokkuError(f"Invalid key specified, valid keys include: {file.key}")
    if not value:
        log.info2_quiet(f"Unsetting {file.key}")
        properties.delete(file.plugin, app, file.key)
        return
    if not stays_inside(value):
        raise DokkuError(f"Invalid {file.key} specified: {values.printable(value)}")
    log.info2_quiet(f"Setting {file.key} to {value}")
    properties.write(file.plugin, app, file.key, value)


def place(file: SourceFile, app: str, tree: str) -> str | None:
    """Put the chosen file under its usual name, where builders and images have it; its text.

    With no file at the chosen path there is none: the one under the usual name goes.
    Raises: DokkuError for one of more than MOST_BYTES.
    """
    chosen = path(file, app)
    text = files.read_beneath(tree, chosen, MOST_BYTES)
    if text is None and _size(os.path.join(tree, chosen)) > MOST_BYTES:
        raise DokkuError(f"{values.printable(chosen)} is larger than {MOST_BYTES // 1024} KB")
    if chosen != file.name:
        files.remove(os.path.join(tree, file.name))
        if text is not None:
            files.replace(os.path.join(tree, file.name), text, mode=0o644)
    return text


def stays_inside(value: str) -> bool:
    """Whether a path may be one in the app's source: relative, and not out of it."""
    parts = value.split("/")
    inside = not value.startswith("/") and ".." not in parts and os.path.normpath(value) != "."
    return inside and not values.has_control_characters(value)


def rows(file: SourceFile, app: str) -> list[Row]:
    """What a report knows of an app's path."""
    return [*general_rows(file, app), Row(f"--{file.plugin}-{file.key}", _own(file, app))]


def general_rows(file: SourceFile, app: str = properties.GLOBAL) -> list[Row]:
    """What it knows of every app's."""
    general = _own(file, properties.GLOBAL)
    return [
        Row(f"--{file.plugin}-computed-{file.key}", path(file, app)),
        Row(f"--{file.plugin}-global-{file.key}", general),
    ]


def _own(file: SourceFile, app: str) -> str:
    return properties.get(file.plugin, app, file.key)


def _size(place: str) -> int:
    """Of a file; 0 without one."""
    return os.lstat(place).st_size if os.path.lexists(place) else 0

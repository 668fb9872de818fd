"""The property store: one file per property, $DOKKU_LIB_ROOT/config/PLUGIN/APP/KEY.

APP may be --global. A scalar is the value itself without a line end; a list is one value per line.
Source: dokku v0.24.0 plugins/common/properties.go; people and plugins read and write the same files.
"""

import os
import shutil

from lib.base import files, log, settings

GLOBAL = "--global"


def get(plugin: str, app: str, key: str, default: str = "") -> str:
    """The value, or default when the property is not set; a property set to nothing is the empty text."""
    path = _path(plugin, app, key)
    value = files.read(path, "\0")
    return default if value == "\0" else value.removesuffix("\n")


def is_set(plugin: str, app: str, key: str) -> bool:
    return os.path.isfile(_path(plugin, app, key))


def write(plugin: str, app: str, key: str, value: str, lasting: bool = True) -> None:
    files.replace(_path(plugin, app, key), value, lasting=lasting)


def change(plugin: str, app: str, key: str, value: str) -> None:
    """Write a property, or drop it when there is no value, and say so in Dokku's words."""
    if value:
        log.info2_quiet(f"Setting {key} to {value}")
        write(plugin, app, key, value)
    else:
        log.info2_quiet(f"Unsetting {key}")
        delete(plugin, app, key)


def delete(plugin: str, app: str, key: str, lasting: bool = True) -> None:
    files.remove(_path(plugin, app, key), lasting)


def get_all(plugin: str, app: str) -> dict[str, str]:
    """Every property of an app in one plugin's store, by name."""
    directory = os.path.join(settings.lib(), "config", plugin, app)
    names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    return {name: get(plugin, app, name) for name in names if name[0] != "." and is_set(plugin, app, name)}


def get_list(plugin: str, app: str, key: str) -> list[str]:
    return files.read_lines(_path(plugin, app, key))


def write_list(plugin: str, app: str, key: str, values: list[str]) -> None:
    files.replace_lines(_path(plugin, app, key), values)


def copy(old: str, new: str) -> None:
    """Give one app the properties of another, in every plugin's store."""
    for plugin in _plugins():
        source = os.path.join(plugin, old)
        if os.path.isdir(source):
            shutil.copytree(source, os.path.join(plugin, new), dirs_exist_ok=True)


def forget(app: str) -> None:
    """Drop every property of an app, in every plugin's store."""
    for plugin in _plugins():
        files.remove(os.path.join(plugin, app))


def _plugins() -> list[str]:
    config = os.path.join(settings.lib(), "config")
    return (
        [entry.path for entry in sorted(os.scandir(config), key=lambda e: e.name)]
        if os.path.isdir(config)
        else []
    )


def _path(plugin: str, app: str, key: str) -> str:
    return os.path.join(settings.lib(), "config", plugin, app, key)

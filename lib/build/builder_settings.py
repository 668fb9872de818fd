"""builder:set and builder:report: which builder an app has chosen, and what of its source is built.

Source: dokku v0.24.0 plugins/builder; the properties beside `selected` are 0.38's.
"""

import os

from lib.app import apps, config, image_names
from lib.base import log, properties, values
from lib.base.errors import DokkuError
from lib.base.report import Row

PLUGIN = "builder"
DEFAULTS = {"allowed-images": "", "build-dir": "", "selected": "", "skip-cleanup": "false"}
_DETECTED = "detected"
_SKIP_CLEANUP = "DOKKU_SKIP_CLEANUP"


def set_(app: str, key: str, value: str) -> None:
    """Set or (no value) unset a property of an app or of --global. The next build uses it.

    Raises: DokkuError for an unknown one, one that only builds set, or a value it can't have.
    """
    if app != properties.GLOBAL:
        apps.verify_app_name(app)
    if key == _DETECTED:
        raise DokkuError(f"{key} is a read-only property")
    if app == properties.GLOBAL and key not in DEFAULTS:
        raise DokkuError("Property cannot be specified globally")
    if not key:
        raise DokkuError("No property specified")
    if key not in DEFAULTS:
        known = ", ".join(sorted(DEFAULTS))
        raise DokkuError(f"Invalid property specified, valid properties include: {known}")
    if not value:
        log.info2_quiet(f"Unsetting {key}")
        properties.delete(PLUGIN, app, key)
        return
    stored = _judged(key, value)
    log.info2_quiet(f"Setting {key} to {stored}")
    properties.write(PLUGIN, app, key, stored)


def own(app: str, key: str) -> str:
    """What the app's owner set."""
    return properties.get(PLUGIN, app, key)


def general(key: str) -> str:
    """What was set for every app without a value of its own."""
    return properties.get(PLUGIN, properties.GLOBAL, key)


def computed(app: str, key: str) -> str:
    """What counts: the app's value, else the global one, else the default."""
    return own(app, key) or general(key) or DEFAULTS[key]


def skips_cleanup(app: str) -> bool:
    """Whether an app's builds leave alone what earlier ones left: by the property, or the older variable."""
    older = os.environ.get(_SKIP_CLEANUP) or config.effective(app, _SKIP_CLEANUP)
    return bool(older) or computed(app, "skip-cleanup") == "true"


def rows(app: str) -> list[Row]:
    """What builder:report knows: the rows of Dokku 0.24, then those of later releases."""
    found = [
        Row("--builder-computed-selected", computed(app, "selected")),
        Row("--builder-global-selected", general("selected")),
        Row("--builder-selected", own(app, "selected")),
        Row("--builder-detected", config.get(app, "DOKKU_APP_TYPE"), newer=True),
    ]
    for key in ("allowed-images", "build-dir", "skip-cleanup"):
        found += [
            Row(f"--builder-computed-{key}", computed(app, key), newer=key != "build-dir"),
            Row(f"--builder-global-{key}", general(key), newer=key != "build-dir"),
            Row(f"--builder-{key}", own(app, key), newer=key != "build-dir"),
        ]
    return found


def global_rows() -> list[Row]:
    """What builder:report knows of the host: the values for apps that have none of their own."""
    return [
        row
        for key, default in DEFAULTS.items()
        for row in (
            Row(f"--builder-computed-{key}", general(key) or default),
            Row(f"--builder-global-{key}", general(key)),
        )
    ]


def allows_image(app: str, *names: str) -> bool:
    """Whether an app's builds may use an image of one of these names although it is not the app's own."""
    allowed = {image_names.repository(entry) for entry in computed(app, "allowed-images").split(",") if entry}
    return "*" in allowed or bool(allowed.intersection(map(image_names.repository, names)))


def verified_name(name: str) -> str:
    """A builder's name. Raises: DokkuError for what can be none."""
    if not values.is_identifier(name):
        raise DokkuError(f"Invalid builder name: {values.printable(name)}")
    return name


def _judged(key: str, value: str) -> str:
    """A value as it is stored."""
    if key == "selected":
        return verified_name(value)
    if key == "allowed-images":
        return ",".join(_image(name.strip()) for name in value.split(","))
    if key == "skip-cleanup" and value not in ("true", "false"):
        raise DokkuError("Invalid value for skip-cleanup, must be true or false")
    return value if key == "skip-cleanup" else _directory(value)


def _image(name: str) -> str:
    if name != "*" and not values.is_image(name):
        raise DokkuError(
            f"Invalid value for allowed-images, not the name of an image: {values.printable(name)}"
        )
    return name


def _directory(value: str) -> str:
    """A path of a directory below the source's top, without slashes around it."""
    path = os.path.normpath(value.strip("/")) if value.strip("/") else ""
    if path in ("", ".", "..") or path.startswith("../") or values.has_control_characters(path):
        raise DokkuError(
            f"Invalid value for build-dir, not a directory of the source: {values.printable(value)}"
        )
    return path

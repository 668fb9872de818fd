"""apps:list and apps:report."""

import os

from lib.app import apps
from lib.base import files, locks, log, properties, settings
from lib.base.report import Row


def list_apps(shape: str) -> None:
    """Print every app's name: a heading and lines, or a JSON array."""
    found = apps.names()
    if shape == "json":
        import json

        log.plain(json.dumps(found))
        return
    if not found:
        log.warn(apps.NONE_YET)
        return
    log.info2_quiet("My Apps")
    for app in found:
        log.plain(app)


def rows(app: str) -> list[Row]:
    """What apps:report knows. Source: dokku v0.24.0 plugins/apps/report.go; the newer rows from 0.38."""
    directory = settings.app_dir(app)
    source = properties.get("apps", app, "deploy-source") or ("git" if _has_branches(directory) else "")
    return [
        Row("--app-created-at", properties.get("apps", app, "created-at"), newer=True),
        Row("--app-deploy-source", source),
        Row(
            "--app-deploy-source-metadata", properties.get("apps", app, "deploy-source-metadata"), newer=True
        ),
        Row("--app-dir", directory),
        Row("--app-locked", str(locks.is_locked(app)).lower()),
    ]


def _has_branches(repository: str) -> bool:
    loose = os.path.join(repository, "refs", "heads")
    packed = files.read(os.path.join(repository, "packed-refs"))
    return os.path.isdir(loose) and (bool(os.listdir(loose)) or " refs/heads/" in packed)

"""Certificates: the pair under $DOKKU_ROOT/APP/tls that an app is served with."""

import os

from lib.base import settings


def exists(app: str) -> bool:
    """Whether the app has both halves of a pair."""
    return all(os.path.isfile(path) and os.path.getsize(path) for path in (certificate(app), key(app)))


def certificate(app: str) -> str:
    return os.path.join(settings.app_dir(app), "tls", "server.crt")


def key(app: str) -> str:
    return os.path.join(settings.app_dir(app), "tls", "server.key")

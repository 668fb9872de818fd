"""What the host's administrator told dockerd in /etc/docker/daemon.json; readable while dockerd is down."""

from lib.base import files

PATH = "/etc/docker/daemon.json"


def setting(name: str) -> object:
    """One setting; None when it, or the file, is missing or unreadable."""
    import json

    try:
        found = json.loads(files.read(PATH) or "{}")
    except (ValueError, OSError):
        return None
    return found.get(name) if isinstance(found, dict) else None

"""storage-list APP [PHASE]: the mounts of a phase (deploy), a line `HOST:CONTAINER[:OPTIONS]` each.

Fired by: lib/runtime/mount_owners.py.
"""

from lib.app import storage


def answer(app: str, phase: str = "", *_: str) -> str:
    return "".join(f"{mount}\n" for mount in storage.mounts(app, phase or "deploy"))


HANDLERS = {"storage": answer}

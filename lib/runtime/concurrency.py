"""Programs of one id, one at a time if that is wanted: what is done with a second one.

Source: dokku 0.38 `run --concurrency-policy`, and the key of that name in an app.json's cron.
"""

import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator

from lib.base import files, settings
from lib.base.errors import DokkuError
from lib.runtime import schedulers
from lib.tools import docker

POLICIES = ALLOW, FORBID, REPLACE = ("allow", "forbid", "replace")

_PLUGIN = "cron"


def verify(policy: str, id_: str) -> None:
    """Raises: DokkuError for a policy that is none, or that lacks an id to go by."""
    if policy not in ("", *POLICIES):
        raise DokkuError(
            f"Invalid concurrency policy specified, valid policies include: {', '.join(POLICIES)}"
        )
    if policy in (FORBID, REPLACE) and not id_:
        raise DokkuError(f"Concurrency policy {policy} needs --cron-id, by which a program knows its like")


@contextlib.contextmanager
def turn(app: str, id_: str, policy: str) -> Iterator[bool]:
    """Whether a program of that id may start now; if policy forbids others, none may until the block ends.

    policy: replace stops those that run; empty is allow.
    """
    if policy not in (FORBID, REPLACE):
        yield True
        return
    with _claimed(app, id_, policy) as is_free:
        others = _running(app, id_) if is_free else []
        if others and policy == REPLACE:
            docker.stop(*others, patience=schedulers.stop_timeout(app))
        yield is_free and (policy == REPLACE or not others)


def _running(app: str, id_: str) -> list[str]:
    """Those of our naming: what a build runs has labels of its author's, and no such name."""
    marks = (f"label=com.dokku.app-name={app}", f"label=com.dokku.cron-id={id_}")
    return docker.containers(*marks, rf"name=^/{re.escape(app)}\.run\.", all_=False)


@contextlib.contextmanager
def _claimed(app: str, id_: str, policy: str) -> Iterator[bool]:
    """Whether nobody else is starting or attending one; always, unless the policy is forbid."""
    if policy != FORBID:
        yield True
        return
    directory = settings.data(_PLUGIN, app)
    files.make_directory(directory)
    path = f"{directory}/{hashlib.sha256(os.fsencode(id_)).hexdigest()}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)

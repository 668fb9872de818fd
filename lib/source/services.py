"""The other end of git's own commands: what `git push` and `git fetch` start over ssh."""

import os
import re

from lib.app import apps
from lib.base import locks, pushers, settings, triggers, values
from lib.base.errors import DokkuError, ToolFailed
from lib.source import repos
from lib.tools import git

HOOKS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "hooks")
_UPDATE = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (refs/\S+)")


def updates(text: str) -> list[tuple[str, str, str]]:
    """What git tells a pre-receive hook: (old commit, new commit, ref) per pushed ref.

    Raises: DokkuError for anything else, as every key may call the hook's command by itself.
    """
    found = []
    for line in text.splitlines():
        match = _UPDATE.fullmatch(line)
        if match is None or not values.is_ref(match[3]):
            raise DokkuError(f"Invalid line from git: {values.printable(line)}")
        found.append((match[1], match[2], match[3]))
    return found


def receive(word: str) -> None:
    """Become git-receive-pack for the app that a client names, which is made if need be.

    The lock file is open in the new program: the hook locks it, and it stays locked until the refs are
    written. So is the way to the client, which the hook watches. The hooks are those of this program: git
    would pass over the repository's own where a setting of the host names others, or a mount forbids them.
    Raises: DokkuError when git would not run them, and so not deploy.
    """
    app = repos.app_of(word)
    hook = os.path.join(HOOKS, "pre-receive")
    if not os.access(hook, os.X_OK):
        raise DokkuError(f"{hook} can't be executed, no push can be deployed: install dokku again")
    repos.ensure(app)
    env = {
        locks.INHERITED: str(locks.open_for_child(app)),
        pushers.INHERITED: pushers.word_for_child(),
        "DOKKU_ROOT": settings.root(),
        "DOKKU_HOOK_PROGRAM": repos.hook_program(),
        "DOKKU_HOOK_APP": app,
    }
    git.receive_pack(repos.path(app), HOOKS, env)


def upload(service: str, word: str) -> None:
    """Send source to a client. Fires: git-pre-pull, which may refuse, and git-post-pull (not for archives).

    Raises: AppNotFound; ToolFailed when git did not like what it was asked.
    """
    app = apps.verify_app_name(repos.app_of(word))
    repos.initialize(app)
    if service == "upload-pack":
        triggers.fire("git-pre-pull", app)
    status = git.upload(service, repos.path(app))
    if status:
        raise ToolFailed("git", status)
    if service == "upload-pack":
        triggers.fire("git-post-pull", app)

"""Commands of plugins: their subcommands/ files, then their `commands` scripts.

Source: dokku v0.24.0 `dokku`.
"""

import os

from commands import _modules
from lib.base import environment, log, run, settings, triggers
from lib.base.errors import DokkuError

_REPLACEABLE = ("haproxy", "letsencrypt")


def replaces(command: str) -> bool:
    """Whether a plugin answers for a whole namespace of ours, as it did before we had that."""
    namespace = command.partition(":")[0]
    return namespace in _REPLACEABLE and any(plugin.name == namespace for plugin in triggers.plugins())


def dispatch(words: list[str]) -> int:
    """Hand a command that is not ours to the enabled plugins; its status.

    Raises: DokkuError when no plugin claims it.
    """
    namespace, _, name = words[0].partition(":")
    for plugin in triggers.plugins():
        candidates = ("default", words[0]) if not name else (name,)
        for candidate in candidates if plugin.name == namespace and "/" not in words[0] else ():
            script = os.path.join(plugin.path, "subcommands", candidate)
            if os.path.isfile(script) and os.access(script, os.X_OK):
                return run.status(script, *words, stdin=run.INHERIT, env=environment.whole())
    return _offered(words)


def _offered(words: list[str]) -> int:
    """Ask every `commands` script: 10 is "not mine", 0 is done (and the next is asked too), else we stop."""
    handled = False
    for plugin in triggers.plugins():
        script = os.path.join(plugin.path, "commands")
        if not (os.path.isfile(script) and os.access(script, os.X_OK)):
            continue
        status = run.status(script, *words, stdin=run.INHERIT, env=environment.whole())
        if status not in (0, settings.NOT_IMPLEMENTED):
            return status
        handled = handled or status == 0
    if not handled:
        like = _modules.nearest(words[0])
        raise DokkuError(
            f"`{' '.join(words)}` is not a dokku command.",
            more=(
                *([f"Did you mean `{like}`?"] if like and like != words[0] else []),
                "See `dokku help` for a list of available commands.",
            ),
        )
    return 0


def help_lines(everything: bool) -> list[str]:
    """What the plugins' `commands help` print; they look for --all in the command line of their parent."""
    lines: list[str] = []
    for plugin in triggers.plugins():
        script = os.path.join(plugin.path, "commands")
        if os.path.isfile(script) and os.access(script, os.X_OK):
            asking = ["bash", "-c", '"$1" help', "dokku", script, *(["--all"] if everything else [])]
            try:
                lines += run.capture(*asking, env=environment.whole()).splitlines()
            except DokkuError:
                log.debug(f"{plugin.name}: no help")
    return sorted(line for line in lines if line.startswith("    "))

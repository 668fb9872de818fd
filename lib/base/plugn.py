"""`plugn` for plugins' scripts: triggers without the start-up of the command line, and what is installed.

Source: plugn (plugn.go, bashenv/plugn.bash). Its words for installing and enabling are dokku's plugin:* here.
"""

import os
import sys
from typing import Any

from lib.base import entry, identity, log, ownership, settings, triggers
from lib.base.errors import DokkuError, UsageError

USAGE = "Usage: plugn trigger <name> [<argument>...] | plugn list | plugn version"
_AS_ROOT = ("install", "dependencies", "update", "uninstall")  # hooks that set up the host, when root asks


def main() -> None:
    """Do what this process was asked for, and exit with its status."""
    entry.run(_run)


def _run(words: list[str]) -> int:
    settings.load_host()
    settings.clean_environment()
    verb, *rest = words or [""]
    if verb == "version":
        log.plain(f"plugn: {settings.VERSION}")
    elif verb == "list":
        settings.load_user()
        for line in listing():
            log.plain(line)
    elif verb == "trigger" and rest:
        _trigger(rest, words)
    else:
        raise UsageError(USAGE)
    return 0


def _trigger(words: list[str], all_words: list[str]) -> None:
    if os.geteuid() == 0 and words[0] in _AS_ROOT:
        _verify_hooks(words[0])
    else:
        identity.assume([f"plugn {words[0]}"], os.path.abspath(sys.argv[0]), all_words)
    settings.load_user()
    triggers.fire(*words)


def _verify_hooks(name: str) -> None:
    """Raises: DokkuError when somebody else could change the hooks that root is about to run."""
    for plugin in triggers.plugins() if settings.user() != "root" else ():
        is_hooked = os.path.lexists(os.path.join(plugin.path, name))
        place = ownership.replaceable(plugin.path) if is_hooked else ""
        if place:
            raise DokkuError(
                f"Root does not run '{name}' of the plugin {plugin.name}: others can change {place}",
                more=(f"Have a look at it, then: chown -R root:root {place} && chmod -R go-w {place}",),
            )


def listing() -> list[str]:
    """A line for every plugin there is: its name, version, whether it is enabled, and what it does."""
    plugins = os.path.dirname(settings.plugins_enabled())
    available = os.path.join(plugins, "available")
    try:
        names = sorted(os.listdir(available), key=os.fsencode)
    except OSError:
        return []
    lines = []
    for name in names:
        if not os.path.isdir(os.path.join(available, name)):
            continue
        about = _about(os.path.join(available, name))
        state = "enabled" if os.path.isdir(os.path.join(plugins, "enabled", name)) else "disabled"
        version, description = about.get("version", ""), about.get("description", "")
        lines.append(f"  {name:20} {version!s:5} {state:10} {description}")
    return lines


def _about(path: str) -> dict[str, Any]:
    """The [plugin] table of plugin.toml; nothing where it is missing or broken."""
    import tomllib  # 18 ms

    try:
        with open(os.path.join(path, "plugin.toml"), "rb") as file:
            found = tomllib.load(file).get("plugin", {})
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}

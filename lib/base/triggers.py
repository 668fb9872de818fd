"""Triggers: the named points where plugins join in. Built-in handlers run here, plugins' scripts as programs.

One list per trigger, in byte order of plugin names: our handlers under the core plugin that owns them, and
`<enabled plugin>/<trigger>` of every plugin that is not a core one. All share stdin and stdout; the first
status that is not 0 ends the run. Source: plugn (bashenv/plugn.bash, `trigger`).
"""

import importlib.util
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from lib.base import environment, log, run, settings
from lib.base.errors import ToolFailed, TriggerFailed

Handler = Callable[..., str | None]


class Plugin(NamedTuple):
    name: str
    path: str


class Answer(NamedTuple):
    """What one plugin said to a trigger, and its script's status."""

    plugin: str
    said: str
    status: int = 0


def fire(name: str, *args: str, cwd: str = "") -> None:
    """Let everybody act on a trigger, with our stdin and stdout. Raises: as the first that fails.

    cwd: where plugins' scripts start, for the triggers that promise one; ours get it as an argument.
    """
    for owner, answer in _answers(name):
        if isinstance(answer, Plugin):
            _run_script(name, answer, args, cwd)
        else:
            log.debug(f"trigger {name}: {owner}")
            said = answer(*args)
            if said:
                log.raw(said.encode("utf-8", "surrogateescape"))


def ask(name: str, *args: str) -> str:
    """What everybody says to a trigger, in order and without separators. Stdin is empty for all."""
    said = []
    for _, answer in _answers(name):
        if isinstance(answer, Plugin):
            said.append(_capture_script(name, answer, args))
        else:
            said.append(answer(*args) or "")
    return "".join(said)


def poll(name: str, *args: str, may_decline: bool = False) -> list[Answer]:
    """What each says to a trigger by itself, in order; a script that fails is the last that is asked.

    may_decline: a script that ends with 1 and has said nothing has nothing to say, and the next is asked.
    """
    said = []
    for owner, answer in _answers(name):
        if not isinstance(answer, Plugin):
            said.append(Answer(owner, answer(*args) or ""))
            continue
        done = run.result(*_argv(name, answer, args), env=_environment_of(answer))
        log.raw(done.errors, 2)
        if may_decline and done.status == 1 and not done.output and not done.errors:
            continue
        said.append(Answer(owner, done.output.decode("utf-8", "surrogateescape"), done.status))
        if done.status:
            break
    return said


def listeners(name: str) -> list[str]:
    """The names of the plugins, core ones included, that answer this trigger, in their order."""
    scripts = [plugin.name for plugin in plugins() if _may_run(os.path.join(plugin.path, name))]
    return sorted([*_built_in(name), *scripts], key=os.fsencode)


def core_listeners(name: str) -> list[str]:
    """The core plugins under whose names we answer a trigger."""
    return sorted(_built_in(name), key=os.fsencode)


def has_plugins(name: str) -> bool:
    """Whether a plugin that is not a core one answers this trigger."""
    return any(_may_run(os.path.join(plugin.path, name)) for plugin in plugins())


def is_barred(name: str) -> bool:
    """Whether a plugin means to answer this trigger, but its script may not run."""
    return bool(barred(name))


def barred(name: str) -> list[str]:
    """The plugins that mean to answer this trigger, but whose script may not run."""
    scripts = {plugin.name: os.path.join(plugin.path, name) for plugin in plugins()}
    return [
        plugin
        for plugin, script in scripts.items()
        if os.path.lexists(script) and not os.access(script, os.X_OK)
    ]


def plugins() -> list[Plugin]:
    """The enabled plugins that are not core ones, in the order in which they run."""
    enabled = settings.plugins_enabled()
    core = os.path.realpath(settings.core_plugins()) + os.sep
    try:
        names = os.listdir(enabled)
    except OSError:
        return []
    found = []
    for name in sorted(names, key=os.fsencode):
        path = os.path.join(enabled, name)
        if os.path.isdir(path) and not (os.path.realpath(path) + os.sep).startswith(core):
            found.append(Plugin(name, path))
    return found


def _answers(name: str) -> list[tuple[str, Handler | Plugin]]:
    _log_event(name)
    answers: list[tuple[str, Handler | Plugin]] = list(_built_in(name).items())
    for plugin in plugins() if "/" not in name else ():
        script = os.path.join(plugin.path, name)
        if not os.path.isfile(script):
            continue
        if os.access(script, os.X_OK):
            answers.append((plugin.name, plugin))
        else:
            log.note(f"Trigger '{name}' is not executable, skipping plugin ({plugin.name})")
    return sorted(answers, key=lambda answer: os.fsencode(answer[0]))


def _built_in(name: str) -> dict[str, Handler]:
    module = f"triggers.{name.replace('-', '_')}"
    if not name.replace("-", "").isalnum() or importlib.util.find_spec(module) is None:
        return {}
    handlers: dict[str, Handler] = importlib.import_module(module).HANDLERS
    return handlers


def _may_run(script: str) -> bool:
    return os.path.isfile(script) and os.access(script, os.X_OK)


def _run_script(name: str, plugin: Plugin, args: tuple[str, ...], cwd: str) -> None:
    status = run.status(*_argv(name, plugin, args), cwd=cwd, env=_environment_of(plugin), stdin=run.INHERIT)
    if status:
        raise TriggerFailed(name, plugin.name, status)


def _capture_script(name: str, plugin: Plugin, args: tuple[str, ...]) -> str:
    try:
        return run.capture(*_argv(name, plugin, args), env=_environment_of(plugin))
    except ToolFailed as error:
        raise TriggerFailed(name, plugin.name, error.status) from error


def _argv(name: str, plugin: Plugin, args: tuple[str, ...]) -> list[str]:
    """The words that run a hook; one without `#!` is bash, as plugn's own bash would have it."""
    script = os.path.join(plugin.path, name)
    with open(script, "rb") as file:
        start = file.read(4)
    bare = not start.startswith((b"#!", b"\x7fELF"))
    return [*(["bash"] if bare else []), script, *args]


def _environment_of(plugin: Plugin) -> dict[str, str]:
    """What a plugin's script gets: all of our environment, which holds no app's values, and its own settings.

    CONFIG_KEY for every key of [plugin.config] in plugin.toml: the environment's, or config.toml's.
    """
    keys = _table(os.path.join(plugin.path, "plugin.toml"), "plugin", "config")
    if not keys:
        return environment.whole()
    stored = _table(os.path.join(os.path.dirname(settings.plugins_enabled()), "config.toml"), plugin.name)
    names = {key: key.upper().replace("-", "_") for key in keys}
    prefix = plugin.name.upper().replace("-", "_")
    own = {
        f"CONFIG_{name}": os.environ.get(f"{prefix}_{name}") or str(stored.get(key, ""))
        for key, name in names.items()
    }
    return {**environment.whole(), **own}


def _table(path: str, *names: str) -> dict[str, Any]:
    """A table of a TOML file; empty where the file, the table or its sense is missing."""
    import tomllib  # 18 ms

    try:
        with open(path, "rb") as file:
            found: Any = tomllib.load(file)
    except (OSError, ValueError):
        return {}
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _log_event(name: str) -> None:
    """Tell syslog, as the events plugin does. Names only: arguments may hold secrets."""
    if not os.environ.get("DOKKU_EVENTS"):
        return
    import syslog

    who = " ".join(f"{key}={os.environ.get(key, '')}" for key in ("NAME", "FINGERPRINT", "DOKKU_PID"))
    syslog.openlog("dokku-event", syslog.LOG_PID, syslog.LOG_USER)
    syslog.syslog(f"INVOKED: {name}( *** ) {who}")

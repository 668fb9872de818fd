"""config:set and its kin as people call them: what is said, and the restart that follows.

Source of the texts: dokku v0.24.0 plugins/config/subcommands.go; of config:import: 0.38.
"""

import os
from collections.abc import Mapping, Sequence

from lib.app import apps, config, env_text, ports
from lib.base import locks, log, retry, triggers
from lib.base.errors import DokkuError, Locked
from lib.base.values import printable

PATIENCE = 900  # seconds that a restart waits for a deploy of somebody else
IMPORT_LIMIT = 16 * 1024 * 1024


def addressed(words: Sequence[str] | None, is_global: bool) -> tuple[str, list[str]]:
    """Whose config a command line or a trigger's arguments mean, and the words after it.

    Raises: as apps.verify_app_name.
    """
    rest = list(words or [])
    if is_global:
        return config.GLOBAL, rest
    if rest[:1] == [config.GLOBAL]:
        return config.GLOBAL, rest[1:]
    return apps.verify_app_name(rest[0] if rest else ""), rest[1:]


def only(words: Sequence[str] | None, is_global: bool) -> str:
    """Whose config a command line means that has no further words. Raises: DokkuError when it has."""
    owner, rest = addressed(words, is_global)
    refuse_more(rest)
    return owner


def refuse_more(words: Sequence[str]) -> None:
    if words:
        raise DokkuError(f"Unexpected argument(s): [{printable(' '.join(words))}]")


def value(owner: str, words: Sequence[str]) -> str:
    """The one variable that is asked for. Raises: DokkuError without a word when it is not set."""
    if not words:
        raise DokkuError("Expected: key")
    refuse_more(words[1:])
    held = shown(owner, False)
    if words[0] not in held:
        raise DokkuError("")
    return held[words[0]]


def shown(owner: str, merged: bool) -> dict[str, str]:
    """The variables to show: the owner's own, or with the global ones below them.

    An app that a proxy was built for has its ports among them, where Dokku 0.24 stored what we derive.
    """
    held = config.merged(owner) if merged else config.values(owner)
    return held if owner == config.GLOBAL else {**ports.variables(owner), **held}


def say(text: str) -> None:
    """Print text that holds its own line ends, to the byte."""
    log.raw(text.encode("utf-8", "surrogateescape"))


def set_pairs(owner: str, words: Sequence[str], encoded: bool, restart: bool) -> None:
    """Set every `KEY=VALUE`, with base64 values if encoded. Raises: DokkuError before anything is written."""
    new = _pairs(words, encoded)
    config.set_values(owner, new)
    log.info1_quiet("Setting config vars")
    if not log.is_quiet():
        for line in env_text.aligned(sorted(_echoed(new).items())):
            log.verbose(line)
    _restart(owner, restart)


def unset(owner: str, keys: Sequence[str], restart: bool) -> None:
    """Drop variables; those that are not set are named and skipped."""
    if not keys:
        raise DokkuError("At least one key must be given")
    dropped = config.unset_values(owner, keys)
    for key in dict.fromkeys(keys):
        if key in dropped:
            log.info1_quiet(f"Unsetting {key}")
        else:
            log.info1_quiet(f"Skipping {key}, it is not set in the environment")
    _restart(owner, restart)


def clear(owner: str, restart: bool) -> None:
    """Drop all variables. Also the way out when the file was cut off."""
    for key in config.clear_values(owner):
        log.info1_quiet(f"Unsetting {key}")
    _restart(owner, restart)


def import_(owner: str, source: str, shape: str, replace: bool, restart: bool) -> None:
    """Set what a file says, or stdin when it is `-` or not given: an ENV file, or what config:export wrote.

    replace: in place of all others. Names are shown, values are not.
    Raises: DokkuError before anything is written, for a file that can't be read or holds nothing.
    """
    if shape not in ("envfile", "exports", "shell", "docker-args", "json", "json-list"):
        raise DokkuError(f"Unknown import format: {shape}")
    source = source or ("" if os.isatty(0) else "-")
    if not source:
        raise DokkuError("A file to import from, or - for stdin, must be given")
    if source == "-":
        log.info1_quiet("Reading config vars from stdin")
    text = _text_of(source)
    if shape.startswith("json") and text.lstrip()[:1] not in ("{", "["):
        raise DokkuError(f"Unable to read {printable(source)}: no valid JSON")
    new = env_text.read(text, source)
    if not new:
        raise DokkuError("No config vars to set")
    (config.replace_values if replace else config.set_values)(owner, new)
    for key in sorted(new):
        log.info1_quiet(f"Setting config var {key}")
    _restart(owner, restart)


def _pairs(words: Sequence[str], encoded: bool) -> dict[str, str]:
    if not words:
        raise DokkuError("At least one env pair must be given")
    new = {}
    for word in words:
        key, separator, text = word.partition("=")
        if not separator:
            raise DokkuError(f"Invalid env pair: {printable(word)}")
        new[key] = _decoded(key, text) if encoded else text
    return new


def _decoded(key: str, text: str) -> str:
    import base64  # 3 ms

    try:
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True).decode(
            "utf-8", "surrogateescape"
        )
    except ValueError:
        raise DokkuError(f"illegal base64 data for key '{printable(key)}'") from None


def _echoed(new: Mapping[str, str]) -> dict[str, str]:
    """The values as 0.24 shows them at a terminal, which the official client always asks for.

    Cron, CI and services hand over a pipe as a caller does, and keep or mail what they read from it.
    """
    return dict(new) if os.isatty(1) else dict.fromkeys(new, "*****")


def _text_of(source: str) -> str:
    """At most IMPORT_LIMIT of a file, or of stdin for `-`."""
    try:
        with open(0 if source == "-" else source, "rb", closefd=source != "-") as file:
            content = file.read(IMPORT_LIMIT + 1)
    except OSError as error:
        raise DokkuError(f"Unable to read {printable(source)}: {error.strerror}") from error
    if len(content) > IMPORT_LIMIT:
        raise DokkuError(f"Unable to import more than {IMPORT_LIMIT} bytes")
    return content.decode("utf-8", "surrogateescape")


def _wait_for_deploy(app: str) -> None:
    """Wait until nobody else deploys the app: its containers may be without the change.

    Raises: DokkuError when that takes too long.
    """
    if not locks.is_others(app):
        return
    log.info1(f"Waiting for the deploy of {app} that is under way, at most {PATIENCE} seconds")
    if not retry.until(lambda: not locks.is_others(app), timeout=PATIENCE, every=0.5):
        hint = f"Run 'ps:restart {app}' when it has ended, or 'builds:cancel {app}' to end it"
        raise DokkuError(
            f"The variables of {app} are set, but it was not restarted: a deploy runs", more=(hint,)
        )


def _restart(owner: str, wanted: bool) -> None:
    """Let containers get the change. That it fails is a warning: the config is set, and clients rely on 0."""
    if (
        not wanted
        or owner == config.GLOBAL
        or config.get(owner, "DOKKU_APP_RESTORE").lower() in ("0", "false")
    ):
        return
    if not apps.is_deployed(owner):
        log.warn(f"App {owner} has not been deployed")
        return
    _wait_for_deploy(owner)
    log.info1(f"Restarting app {owner}")
    try:
        triggers.fire("app-restart", owner)
    except Locked as error:
        if os.path.exists(locks.manual_path(owner)):  # people have frozen it, and know
            log.warn(f"Failure while restarting app: {error.text}")
            return
        raise
    except DokkuError as error:
        log.warn(f"Failure while restarting app: {error.text or f'exit status {error.exit_code}'}")

"""Docker options an app's owner set for a phase: one option string per line in DOCKER_OPTIONS_<PHASE>.

People and plugins edit the files: comments and blank lines are skipped.
Source: dokku v0.24.0 plugins/docker-options.
"""

import os
import shlex

from lib.base import files, settings
from lib.base.errors import DokkuError

PHASES = ("build", "deploy", "run")


def lines(app: str, phase: str) -> list[str]:
    """The options of a phase, each a string of shell words that nobody evaluates."""
    return [line for line in files.read_lines(path(app, phase)) if not line.startswith("#")]


def words(text: str) -> list[str]:
    """The shell words of what a user or a plugin wrote; nothing in them is ever evaluated.

    Raises: DokkuError for a quote without its end. The text may hold a secret and is not shown.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise DokkuError(f"Unable to parse options or a command: {error}") from None


def add(app: str, phases: list[str], line: str) -> None:
    """Put an option on some phases; one that is there already stays once."""
    for phase in phases:
        with files.locked(path(app, phase)):
            _write(app, phase, {*files.read_lines(path(app, phase)), line})


def remove(app: str, phases: list[str], line: str) -> None:
    """Take an option off some phases; exactly this line, absent is fine."""
    for phase in phases:
        with files.locked(path(app, phase)):
            kept = files.read_lines(path(app, phase))
            if line in kept:
                _write(app, phase, {other for other in kept if other != line})


def replace_matching(app: str, phase: str, prefix: str, line: str) -> None:
    """Put line in place of every option that starts with prefix."""
    with files.locked(path(app, phase)):
        kept = {other for other in files.read_lines(path(app, phase)) if not other.startswith(prefix)}
        _write(app, phase, {*kept, line})


def path(app: str, phase: str) -> str:
    return os.path.join(settings.app_dir(app), f"DOCKER_OPTIONS_{phase.upper()}")


def _write(app: str, phase: str, options: set[str]) -> None:
    files.replace_lines(path(app, phase), sorted(options))

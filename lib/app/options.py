"""Docker options an app's owner set for a phase: one option string per line in DOCKER_OPTIONS_<PHASE>.

People and plugins edit the files: comments and blank lines are skipped, and a quote that is open where a line
ends goes on in the next. Options of one process type only are the property list
docker-options/APP/PROCESS.deploy, as later releases have it; what those left under `_default_` counts where
there is no file. Source: dokku v0.24.0 plugins/docker-options.
"""

import itertools
import os
import re
import shlex
from collections.abc import Callable, Sequence

from lib.base import files, properties, settings
from lib.base.errors import DokkuError

PHASES = ("build", "deploy", "run")

_PLUGIN, _DEFAULT = "docker-options", "_default_"
_OPTION = re.compile(  # a comment; shell words, as long as a quote goes on; else what stands in the line
    r"""[ \t\r]*\#[^\n]* | (?: [^'"\\\n] | \\[^\n] | '[^']*' | "(?:[^"\\]|\\.)*" )*+ (?=\n|\Z) | [^\n]*""",
    re.VERBOSE | re.DOTALL,
)
_MARK = re.compile(  # what is quoted is passed over; a mark stands at the start of a word, `;` at its end too
    r"""\\. | '[^']*' | "(?:[^"\\]|\\.)*"
    | (?:(?<=\s)|\A) [0-9]? (?P<mark> &>>? | >>? | <<? | && | \|\|? | &(?=\s|\Z) | ; )
    | (?P<end> ;(?=\s|\Z))""",
    re.VERBOSE | re.DOTALL,
)


def lines(app: str, phase: str, process: str = "") -> list[str]:
    """The options of a phase, each a string of shell words that nobody evaluates.

    process: those of one process type alone; empty for those of all.
    """
    return [line for line in _read(app, phase, process) if not line.startswith("#")]


def spoken(options: Sequence[str]) -> str:
    """Options as the answer to a docker-args trigger: a leading blank each."""
    return "".join(f" {line}" for line in options)


def words(text: str) -> list[str]:
    """The shell words of what a user or a plugin wrote; nothing in them is ever evaluated.

    Raises: DokkuError for a quote without its end. The text may hold a secret and is not shown.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise DokkuError(f"Unable to parse options or a command: {error}") from None


def for_a_shell(line: str) -> str:
    """The first mark in a command that only a shell would understand, `&&`, `|`, `>>` ...; empty for none."""
    found = (match["mark"] or match["end"] for match in _MARK.finditer(line))
    return next(filter(None, found), "")


def fixed_port(flags: Sequence[str]) -> str:
    """The first port of the host that docker's flags name for a container; empty when they name none."""
    for flag, following in itertools.pairwise([*flags, ""]):
        named = following if flag in ("-p", "--publish") else ""
        if match := re.fullmatch(r"(?:-p|--publish=)(.+)", flag):
            named = match[1]
        if match := re.fullmatch(r"(?:.*:)?([0-9]+):[0-9]+(?:/[a-z]+)?", named):
            return match[1]
    return ""


def kept(text: str) -> list[str]:
    """The options that a file of this text holds, comments included."""
    return [line for match in _OPTION.finditer(text) if (line := match[0].strip(" \t\r"))]


def add(app: str, phases: Sequence[str], line: str, process: str = "") -> None:
    """Put an option on some phases; one that is there already stays once."""
    for phase in phases:
        _edit(app, phase, process, lambda before: [*before, line])


def remove(app: str, phases: Sequence[str], line: str, process: str = "") -> None:
    """Take an option off some phases; exactly this line, absent is fine."""
    for phase in phases:
        _edit(app, phase, process, lambda before: [other for other in before if other != line])


def replace_matching(app: str, phase: str, prefix: str, line: str) -> None:
    """Put line in place of every option that starts with prefix."""
    rewrite(app, phase, lambda before: [*(one for one in before if not one.startswith(prefix)), line])


def rewrite(app: str, phase: str, change: Callable[[list[str]], list[str]]) -> None:
    """Let change make the new lines of a phase, comments included, of those there are."""
    _edit(app, phase, "", change)


def clear(app: str, phase: str, process: str = "") -> None:
    """Drop all options of a phase, those that a person commented out too."""
    with files.locked(path(app, phase)):
        properties.delete(_PLUGIN, app, _key(phase, process))
        if not process:
            files.remove(path(app, phase))


def process_types(app: str) -> list[str]:
    """The process types that have options of their own."""
    names = [name.removesuffix(".deploy") for name in properties.get_all(_PLUGIN, app) if "." in name]
    return [name for name in names if name != _DEFAULT and lines(app, "deploy", name)]


def path(app: str, phase: str) -> str:
    return os.path.join(settings.app_dir(app), f"DOCKER_OPTIONS_{phase.upper()}")


def _read(app: str, phase: str, process: str) -> list[str]:
    if process or not os.path.isfile(path(app, phase)):
        text = properties.get(_PLUGIN, app, _key(phase, process))
    else:
        text = files.read(path(app, phase))
    return kept(text)


def _edit(app: str, phase: str, process: str, change: Callable[[list[str]], list[str]]) -> None:
    with files.locked(path(app, phase)):
        before = _read(app, phase, process)
        after = sorted(set(change(before)))
        if after == before:
            return
        if process and after:
            properties.write_list(_PLUGIN, app, _key(phase, process), after)
            return
        if not process:
            files.replace_lines(path(app, phase), after)
        properties.delete(_PLUGIN, app, _key(phase, process))


def _key(phase: str, process: str) -> str:
    return f"{process or _DEFAULT}.{phase}"

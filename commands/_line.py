"""One command line, whichever way it came: words from a shell or from ssh, global flags anywhere on it."""

import os
import re
from typing import Any, NamedTuple

from commands import _modules, _plugins
from lib.base import quoting
from lib.base.errors import DokkuError
from lib.base.properties import GLOBAL

_FLAGS = {
    "--quiet": "DOKKU_QUIET_OUTPUT",
    "--trace": "DOKKU_TRACE",
    "--force": "DOKKU_APPS_FORCE_DELETE",
    "--rm": "DOKKU_RM_CONTAINER",
    "--rm-container": "DOKKU_RM_CONTAINER",
    "--detach": "DOKKU_DETACH_CONTAINER",
}
_STARTING_PROGRAMS = ("run", "run:detached", "enter")  # what follows the app is the program's own
_VALUED = ("-e", "--env", "--cron-id", "--ttl-seconds")
_PASSING_WORDS_ON = ("docker-options:add", "docker-options:remove", "plugin:trigger")
_SECRETIVE = ("git:auth", "git:auth-status")  # a password may look like a flag
_APP = re.compile(r"[\[(]?<(old-)?app>")
_OTHER_NAMES = {"-v": "version", "--version": "version"}
_QUOTED_GIT = ("git:auth", "git:from", "git:load", "git:set", "git:sync")


class Line(NamedTuple):
    """A command and its words as they will run: global flags gone, the app of --app in its place.

    asked: the same for who judges commands. They see the app also where a plugin reads it from a variable.
    """

    words: list[str]
    variables: dict[str, str]
    asked: list[str]

    @property
    def command(self) -> str:
        return self.words[0]

    def export(self) -> None:
        """Let the command, its triggers and its programs see the global flags."""
        os.environ.update(self.variables)
        os.environ["DOKKU_COMMAND"] = self.command


def received(argv: list[str]) -> list[str]:
    """The words of the call. Over ssh only the original command counts: a shell has been at our own words.

    Raises: DokkuError for a quote without its end.
    """
    original = os.environ.pop("SSH_ORIGINAL_COMMAND", "")
    return argv if not original.strip() else split(original)


def split(text: str) -> list[str]:
    """Words by the rules of xargs; those of git's own services by blanks only, as they carry git's quotes."""
    start = text.lstrip(quoting.BLANKS)
    if start.startswith(("git-", "git:")) and not start.startswith(_QUOTED_GIT):
        return re.split(f"[{quoting.BLANKS}]+", start.rstrip(quoting.BLANKS))
    return quoting.split(text)


def understood(words: list[str]) -> Line:
    """Sort a call's words: the command first, global flags out, the value of --app as first argument."""
    variables: dict[str, str] = {}
    kept: list[str] = []
    seen: list[str] = []
    operands: list[str] = []
    app = os.environ.get("DOKKU_APP_NAME", "")
    rest = iter(words)
    for word in rest:
        command = kept[0] if kept else ""
        if command in _STARTING_PROGRAMS and _is_operand(word, kept[-1]):
            operands = [word, *rest]
            break
        if word.startswith("--") and word != "--" and command not in _SECRETIVE:
            seen.append(word)
        if word in _FLAGS:
            variables[_FLAGS[word]] = "1"
            if command in _PASSING_WORDS_ON:
                kept.append(word)
        elif word == "--app" and command not in _PASSING_WORDS_ON:
            app = next(rest, "")
        elif command or not word.startswith("--") or word == "--version":
            kept.append(word)
    variables["DOKKU_GLOBAL_FLAGS"] = os.environ.get("DOKKU_GLOBAL_FLAGS") or " ".join(seen)
    if app:
        variables["DOKKU_APP_NAME"] = app
    command = _OTHER_NAMES.get(kept[0], kept[0]) if kept else "help"
    is_ours = not _plugins.replaces(command) and _modules.find(command) is not None
    before, after = (_flags_of_run(kept[1:]), operands) if command in _STARTING_PROGRAMS else ([], kept[1:])
    run = [*before, *(_with_app(command, app, after) if app and is_ours else after)]
    asked = run if is_ours else [*([app] if app else []), *run]  # plugins' commands read the variable
    return Line([command, *run], variables, [command, *asked])


def _with_app(command: str, app: str, words: list[str]) -> list[str]:
    """A command's words with the app of --app as the first of them, where the command takes one.

    The official client sends --app with every command: with those about no app or (--global) about all, and
    with those whose app its user has spelt out as well. That one is dropped then, unless the command would be
    left without a word it needs: `--app blog domains:add blog` is about a domain.
    """
    taken = _modules.operands(command)
    if command in _STARTING_PROGRAMS:
        return [app, *words]
    if not taken or not _APP.match(taken[0]) or (GLOBAL in words and command not in _PASSING_WORDS_ON):
        return words
    needed = sum(name.startswith("<") for name in taken[1:])
    again = next((i for i, word in enumerate(words) if not _is_flag(words, i)), len(words))
    spare = sum(not _is_flag(words, i) for i in range(len(words))) - 1
    if words[again : again + 1] == [app] and spare >= needed:
        words = [*words[:again], *words[again + 1 :]]
    return [app, *words]


def _is_flag(words: list[str], place: int) -> bool:
    return words[place].startswith("-") and words[place] not in ("-", "--")


def _is_operand(word: str, before: str) -> bool:
    """Whether a word is neither a flag nor the value of the one before."""
    return not word.startswith("-") and before not in _VALUED


def _flags_of_run(kept: list[str]) -> list[str]:
    """The flags before the app; labels have been seen. Raises: DokkuError for one without its value."""
    if kept and kept[-1] in _VALUED:
        raise DokkuError(f"expected {kept[-1]} to have an argument")
    return [word for word in kept if not word.startswith("--label=")]


def usage_text(error: Any) -> str:
    """What the parser has against a call, in the words of Dokku's own parser."""
    flag = getattr(error, "option_name", None)
    kind = type(error).__name__
    if kind == "NoSuchOption":
        like = sorted(getattr(error, "possibilities", None) or [])
        return f"unknown flag: {flag}" + (f"; did you mean {like[0]}?" if like else "")
    if kind == "BadOptionUsage":
        return f"flag needs an argument: {flag}"
    param = getattr(error, "param", None)
    if kind == "BadParameter" and param is not None:
        return f'invalid argument for "{param.opts[0]}" flag: {error.message}'
    return str(error.format_message())

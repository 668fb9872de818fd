"""The command line: one typer root that loads one namespace module, by name and only when asked.

`apps:create` is the function registered as "create" in commands/apps.py; `url`, without a colon, is the one
registered as "url" in commands/url.py. A name that no module claims goes to the enabled plugins.
"""

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_command_from_info

from commands import _line, _modules, _plugins, _secrets
from lib.base import entry, identity, settings, triggers
from lib.base.errors import DokkuError, Interrupted, UsageError

_GIT_SERVICES = ("git-receive-pack", "git-upload-pack", "git-upload-archive")


class Root(TyperGroup):
    """All commands, each found when it is named."""

    def get_command(self, ctx: Any, name: str) -> Any:
        info = _modules.find(name)
        if info is None:
            return None
        command = get_command_from_info(info, pretty_exceptions_short=True, rich_markup_mode=None)
        command.allow_extra_args = True  # as in 0.24, for every command; unknown flags are refused
        return command

    def invoke(self, ctx: Any) -> Any:
        """The command's own doing. The parser would make 130 of every signal; ours keep their numbers."""
        try:
            return super().invoke(ctx)
        except Interrupted as error:
            raise DokkuError("", exit_code=error.exit_code) from error


app = typer.Typer(cls=Root, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback()
def root() -> None:
    """A small platform on one host."""


def main() -> None:
    """Run the command line this process was given, and exit with its status."""
    entry.run(_run)


def _run(argv: list[str]) -> int:
    settings.load_host()
    settings.clean_environment()
    original = os.environ.get("SSH_ORIGINAL_COMMAND", "")
    words = _line.received(argv)
    line = _line.understood(words)
    again = [] if original.strip() else words  # what is not among our arguments does not get among sudo's
    identity.assume(line.words, os.path.abspath(sys.argv[0]), again, original)
    settings.load_user()
    line.export()
    _authorise(line.asked)
    if _plugins.replaces(line.command) or _modules.find(line.command) is None:
        return _plugins.dispatch(line.words)
    return _invoke(line.words)


def _invoke(words: list[str]) -> int:
    try:
        return get_command(app).main(args=words, prog_name="dokku", standalone_mode=False) or 0
    except Exception as error:
        if hasattr(error, "format_message") and not isinstance(error, DokkuError):
            raise UsageError(_line.usage_text(error)) from error
        raise


def _authorise(words: list[str]) -> None:
    """Ask the plugins that guard commands; anything but a plain yes is a no."""
    if triggers.is_barred("user-auth"):
        raise DokkuError("Access denied")
    if not triggers.has_plugins("user-auth"):
        return
    asked = _secrets.hidden(_as_run(words))
    try:
        triggers.fire("user-auth", os.environ["SSH_USER"], os.environ["SSH_NAME"], *asked)
    except DokkuError as error:
        raise DokkuError("Access denied") from error


def _as_run(words: list[str]) -> list[str]:
    """Spell the app of one of git's services as it is used: the client may have asked for /app/ as well."""
    if words[0] not in _GIT_SERVICES or len(words) < 2:
        return words
    from lib.source import repos  # 30 ms, for a push or a fetch

    return [words[0], f"'{repos.app_of(words[1])}'", *words[2:]]

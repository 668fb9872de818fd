"""Help from the commands themselves: signature and docstring give every line."""

from typing import Any

from typer.main import get_command_from_info
from typer.models import CommandInfo

from commands import _modules
from lib.base import log


def of(namespace: str) -> Any:
    """A command that prints a namespace's help, as `dokku NS` and `dokku NS:help` do."""
    return CommandInfo(name="help", callback=lambda: show(namespace))


def show(namespace: str) -> None:
    """Print a namespace's usage, its one-line description and all its commands."""
    log.plain(f"Usage: dokku {namespace}[:COMMAND]\n")
    log.plain(summary(namespace) + "\n")
    log.plain("Additional commands:")
    log.columns([(f"    {usage}", text) for usage, text in rows(namespace)])


def summary(namespace: str, in_list: bool = False) -> str:
    """The description of a namespace, as its own help has it or as the list of all namespaces does."""
    info = _modules.load(namespace).namespace.info
    listed = info.short_help if in_list and isinstance(info.short_help, str) else ""
    return str(listed or info.help or "")


def rows(namespace: str) -> list[tuple[str, str]]:
    """Pairs of a command's usage, `apps:clone [--skip-deploy] <old-app> <new-app>`, and what it does."""
    found = []
    for info in _modules.load(namespace).namespace.registered_commands:
        if info.hidden:
            continue
        word = namespace if info.name == namespace else f"{namespace}:{info.name}"
        found.append((" ".join([word, *_parameters(info)]), _first_line(info.callback)))
    return sorted(found)


def _parameters(info: Any) -> list[str]:
    command = get_command_from_info(info, pretty_exceptions_short=True, rich_markup_mode=None)
    words = []
    for param in command.params:
        if param.param_type_name == "argument":
            words.append(str(param.metavar or param.name))
        elif not getattr(param, "hidden", False):
            value = "" if param.is_flag else f" {param.metavar or 'VALUE'}"
            words.append(f"[{'|'.join([param.opts[0], *param.secondary_opts])}{value}]")
    return sorted(words, key=lambda word: not word.startswith("[-"))


def _first_line(function: Any) -> str:
    return str(function.__doc__ or "").strip().split("\n")[0].rstrip(".")

"""help - what there is."""

import os
from typing import Annotated

import typer

from commands import _help, _modules, _plugins
from lib.base import log

namespace = typer.Typer(help="Print the list of commands")

Everything = Annotated[bool, typer.Option("--all", help="every command of every namespace")]


@namespace.command("help")
def help_(everything: Everything = False) -> None:
    """Print the list of commands."""
    if os.isatty(0):
        for line in _header():
            log.plain_quiet(line)
    for table in _ours(everything):
        log.columns(table)
    theirs = _theirs(everything)
    if theirs:
        log.plain("\nCommunity plugin commands:\n")
        log.columns(theirs)


def _header() -> list[str]:
    return [
        "Usage: dokku [--quiet|--trace|--rm-container|--rm|--force] COMMAND <app> [command-specific-options]",
        "",
        'Primary help options, type "dokku COMMAND:help" for more details, '
        "or dokku help --all to see all commands.",
        "",
        "Commands:",
        "",
    ]


def _ours(everything: bool) -> list[list[tuple[str, ...]]]:
    """Tables: one for each namespace with all its commands, or a single one of all namespaces."""
    names = [name for name in _modules.namespaces() if _help.rows(name) and not _plugins.replaces(name)]
    if everything:
        return [[(f"    {usage}", text) for usage, text in _help.rows(name)] for name in names]
    return [[(f"    {name}", _help.summary(name, in_list=True)) for name in names]]


def _theirs(everything: bool) -> list[tuple[str, ...]]:
    pairs = (line.partition(",") for line in _plugins.help_lines(everything))
    return [(usage.rstrip(), text.strip()) for usage, _, text in pairs]

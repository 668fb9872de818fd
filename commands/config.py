"""config:* - an app's environment variables, and the global ones."""

from typing import Annotated

import typer

from commands._params import Global
from lib.app import config, config_changes, env_text
from lib.base import log
from lib.base.errors import DokkuError

namespace = typer.Typer(help="Manage global and app-specific config vars")

Owner = Annotated[list[str] | None, typer.Argument(metavar="(<app>|--global)")]
OwnerKey = Annotated[list[str] | None, typer.Argument(metavar="(<app>|--global) <key>")]
OwnerKeys = Annotated[list[str] | None, typer.Argument(metavar="(<app>|--global) <key>...")]
OwnerPairs = Annotated[list[str] | None, typer.Argument(metavar="(<app>|--global) <key=value>...")]
OwnerFile = Annotated[list[str] | None, typer.Argument(metavar="(<app>|--global) <file>|-")]
Merged = Annotated[bool, typer.Option("--merged", help="with the global ones below the app's own")]
NoRestart = Annotated[bool, typer.Option("--no-restart", help="leave the app running as it is")]
Encoded = Annotated[bool, typer.Option("--encoded", help="values are base64")]
Quoted = Annotated[bool, typer.Option("--quoted", help="in single quotes, for a shell")]
Replace = Annotated[bool, typer.Option("--replace", help="drop all others")]
Exported = Annotated[str, typer.Option("--format", metavar="FORMAT")]
Imported = Annotated[str, typer.Option("--format", metavar="envfile|json")]
Shell = Annotated[bool, typer.Option("--shell", hidden=True)]
Export = Annotated[bool, typer.Option("--export", hidden=True)]


@namespace.command("config")
def config_(
    words: Owner = None,
    is_global: Global = False,
    merged: Merged = False,
    shell: Shell = False,
    export: Export = False,
) -> None:
    """Pretty-print an app or global environment."""
    if shell and export:
        raise DokkuError("Only one of --shell and --export can be given")
    if not shell and not export:
        log.warn("Deprecated: Use the 'config:show' command instead")
        show(words, is_global, merged)
        return
    shape = "shell" if shell else "exports"
    log.warn(f"Deprecated: Use 'config:export --format {shape}' instead")
    shown = config_changes.shown(config_changes.only(words, is_global), merged)
    config_changes.say(env_text.export(shown, shape).removesuffix(" "))


@namespace.command("bundle")
def bundle(words: Owner = None, is_global: Global = False, merged: Merged = False) -> None:
    """Bundle environment into tarfile."""
    owner = config_changes.only(words, is_global)
    log.raw(env_text.bundle(config_changes.shown(owner, merged)))


@namespace.command("clear")
def clear(words: Owner = None, is_global: Global = False, no_restart: NoRestart = False) -> None:
    """Clears environment variables."""
    config_changes.clear(config_changes.only(words, is_global), not no_restart)


@namespace.command("export")
def export(
    words: Owner = None, is_global: Global = False, merged: Merged = False, format_: Exported = "exports"
) -> None:
    """Export a global or app environment."""
    shown = config_changes.shown(config_changes.only(words, is_global), merged)
    config_changes.say(env_text.export(shown, format_))


@namespace.command("get")
def get(words: OwnerKey = None, is_global: Global = False, quoted: Quoted = False) -> None:
    """Display a global or app-specific config value."""
    owner, rest = config_changes.addressed(words, is_global)
    value = config_changes.value(owner, rest)
    told = env_text.quoted(value) if quoted else value
    log.raw(f"{told}\n".encode("utf-8", "surrogateescape"))


@namespace.command("import")
def import_(
    words: OwnerFile = None,
    is_global: Global = False,
    format_: Imported = "envfile",
    replace: Replace = False,
    no_restart: NoRestart = False,
) -> None:
    """Set config vars from a file, or from stdin."""
    owner, rest = config_changes.addressed(words, is_global)
    config_changes.refuse_more(rest[1:])
    config_changes.import_(owner, "".join(rest), format_, replace, not no_restart)


@namespace.command("keys")
def keys(words: Owner = None, is_global: Global = False, merged: Merged = False) -> None:
    """Show keys set in environment."""
    for key in config_changes.shown(config_changes.only(words, is_global), merged):
        log.plain(key)


@namespace.command("set")
def set_(
    words: OwnerPairs = None,
    is_global: Global = False,
    encoded: Encoded = False,
    no_restart: NoRestart = False,
) -> None:
    """Set one or more config vars."""
    owner, rest = config_changes.addressed(words, is_global)
    config_changes.set_pairs(owner, rest, encoded, not no_restart)


@namespace.command("show")
def show(words: Owner = None, is_global: Global = False, merged: Merged = False) -> None:
    """Show a global or app environment."""
    owner = config_changes.only(words, is_global)
    shown = config_changes.shown(owner, merged)
    log.info2_quiet(f"{'global' if owner == config.GLOBAL else owner} env vars")
    config_changes.say(env_text.export(shown, "pretty"))


@namespace.command("unset")
def unset(words: OwnerKeys = None, is_global: Global = False, no_restart: NoRestart = False) -> None:
    """Unset one or more config vars."""
    owner, rest = config_changes.addressed(words, is_global)
    config_changes.unset(owner, rest, not no_restart)

"""Parameters that many commands share, and the command class that keeps a lone `--`."""

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from lib.app import apps
from lib.base.properties import GLOBAL

App = Annotated[str, typer.Argument(metavar="<app>")]
AllApps = Annotated[bool, typer.Option("--all", help="every app")]
Workers = Annotated[int, typer.Option("--parallel", metavar="N", help="apps at a time, -1 for one per CPU")]
ReportWords = Annotated[list[str] | None, typer.Argument(metavar="[<app>] [<flag>]")]
OneApp = Annotated[str, typer.Argument(metavar="[<app>]")]
Owner = Annotated[str, typer.Argument(metavar="<app>|--global")]
Global = Annotated[bool, typer.Option("--global", hidden=True)]
Key = Annotated[str, typer.Argument(metavar="<property>")]
Value = Annotated[str, typer.Argument(metavar="[<value>]")]
Follow = Annotated[bool, typer.Option("--tail", "-t", help="go on until Ctrl-C")]
Number = Annotated[str, typer.Option("--num", "-n", metavar="N", help="lines")]
Format = Annotated[str, typer.Option("--format", metavar="stdout|json")]
Words = Annotated[list[str] | None, typer.Argument()]
ANY_FLAG = {"ignore_unknown_options": True}  # context settings: flags the function sorts out itself

_DASHES = "\0--"


def addressed(owner: str, key: str, value: str, is_global: bool) -> tuple[str, str, str]:
    """Whom `NS:set` is for, the property and its value: with --global the first word is the property.

    Raises: what verify_app_name raises.
    """
    return (GLOBAL, owner, key) if is_global else (apps.verify_app_name(owner), key, value)


def name_and_email(words: list[str] | None) -> tuple[str, str]:
    """Read NAME EMAIL from the last words of a call; a name of several words may have lost its quotes.

    With an @ in a word after the first, this is the address, and what stands before it the name.
    """
    given = list(words or [])
    place = next((i for i, word in enumerate(given) if i and "@" in word), 1)
    return " ".join(given[:place]), "".join(given[place : place + 1])


class LiteralDashes(TyperCommand):
    """A command to which `--` is a value: "read it from stdin". Parsers drop a lone one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, [_DASHES if word == "--" else word for word in args])
        ctx.params = {name: _given(value) for name, value in ctx.params.items()}
        return rest


def _given(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_given, value))
    return "--" if value == _DASHES else value

"""Parameters that many commands share, and the command class that keeps a lone `--`."""

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from lib.app import apps
from lib.base.errors import UsageError
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

    Raises: UsageError for a word too many, what verify_app_name raises.
    """
    if is_global and value:
        raise UsageError(f"Got unexpected extra argument(s) ({value})")
    return (GLOBAL, owner, key) if is_global else (apps.verify_app_name(owner), key, value)


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

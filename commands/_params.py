"""Parameters that many commands share, and the command class that keeps a lone `--`."""

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

App = Annotated[str, typer.Argument(metavar="<app>")]
AllApps = Annotated[bool, typer.Option("--all", help="every app")]
Workers = Annotated[int, typer.Option("--parallel", metavar="N", help="apps at a time, -1 for one per CPU")]
ReportWords = Annotated[list[str] | None, typer.Argument(metavar="[<app>] [<flag>]")]
Format = Annotated[str, typer.Option("--format", metavar="stdout|json")]
Words = Annotated[list[str] | None, typer.Argument()]
ANY_FLAG = {"ignore_unknown_options": True}  # context settings: flags the function sorts out itself

_DASHES = "\0--"


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

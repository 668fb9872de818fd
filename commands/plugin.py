"""plugin:* - the plugins of this host."""

from typing import Annotated

import typer

from commands._params import LiteralDashes
from lib.base import triggers
from lib.base.errors import DokkuError

namespace = typer.Typer(help="Manage installed plugins")

TriggerWords = Annotated[list[str] | None, typer.Argument(metavar="<trigger> [<args>...]")]
PASSED_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@namespace.command("trigger", cls=LiteralDashes, context_settings=PASSED_ON)
def trigger(words: TriggerWords = None) -> None:
    """Trigger an arbitrary plugin hook."""
    if not words:
        raise DokkuError("Please specify a trigger to run")
    triggers.fire(*words)

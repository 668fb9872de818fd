"""enter - a shell or a command in a container that serves."""

from typing import Annotated

import typer

from commands._params import App
from lib.runtime import entering

namespace = typer.Typer(help="Connect to a specific app container")

Place = Annotated[
    list[str] | None, typer.Argument(metavar="[<process>|<process>.N|--container-id ID] [<command>...]")
]


@namespace.command("enter", context_settings={"allow_interspersed_args": False})
def enter(app: App = "", words: Place = None) -> None:
    """Connect to a specific app container."""
    entering.request(app, words or [])

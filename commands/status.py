"""status - which apps run, where they answer, and what is wrong with them."""

from typing import Annotated

import typer

from commands._params import Format, OneApp
from lib.proxy import app_status

namespace = typer.Typer(help="Show which apps run, where they answer and when they were deployed")
Watch = Annotated[bool, typer.Option("--watch", help="show it again every 2 seconds, until Ctrl-C")]


@namespace.command("status")
def status(app: OneApp = "", watch: Watch = False, format_: Format = "stdout") -> None:
    """Show which apps run, where they answer and when they were deployed."""
    if watch:
        app_status.watch(app, format_)
    else:
        app_status.show(app, format_)

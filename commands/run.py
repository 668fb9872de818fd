"""run:* - run a command in a container of its own, and look after those that run."""

from typing import Annotated

import typer

from commands._params import App, Format, OneApp
from lib.base import log
from lib.runtime import one_off

namespace = typer.Typer(help="Run a one-off process inside a container")

OWN_WORDS = {"allow_interspersed_args": False}  # what follows the app is the program's
Command = Annotated[list[str] | None, typer.Argument(metavar="[<command>...]")]
Env = Annotated[list[str] | None, typer.Option("--env", "-e", metavar="KEY=VALUE", help="once more for more")]
CronId = Annotated[str, typer.Option("--cron-id", metavar="ID", help="a label for schedulers of jobs")]
Policy = Annotated[
    str,
    typer.Option("--concurrency-policy", metavar="POLICY", help="what to do while one of the id runs"),
]
Ttl = Annotated[str, typer.Option("--ttl-seconds", metavar="N", help="stop it when so much time is over")]
NoTty = Annotated[bool, typer.Option("--no-tty", help="no terminal, even at one")]
ForceTty = Annotated[bool, typer.Option("--force-tty", help="a terminal, even without one")]
Name = Annotated[str, typer.Option("--container", metavar="<app>.run.N", help="this one only")]
Follow = Annotated[bool, typer.Option("--tail", "-t", "-f", help="go on until Ctrl-C")]
Plain = Annotated[bool, typer.Option("--quiet", "-q", help="without time, name and colour")]
Number = Annotated[str, typer.Option("--num", "-n", metavar="N", help="lines of each container")]


@namespace.command("run", context_settings=OWN_WORDS)
def run(
    app: App = "",
    command: Command = None,
    env: Env = None,
    cron_id: CronId = "",
    ttl_seconds: Ttl = "",
    policy: Policy = "",
    no_tty: NoTty = False,
    force_tty: ForceTty = False,
) -> None:
    """Run a command in a new container using the current app image."""
    one_off.request(
        app, command or [], env or [], False, cron_id, ttl_seconds, no_tty, force_tty, policy=policy
    )


@namespace.command("detached", context_settings=OWN_WORDS)
def detached(
    app: App = "",
    command: Command = None,
    env: Env = None,
    cron_id: CronId = "",
    ttl_seconds: Ttl = "",
    policy: Policy = "",
) -> None:
    """Run a command in a new container without waiting for it; print the container's name."""
    one_off.request(app, command or [], env or [], True, cron_id, ttl_seconds, policy=policy)


@namespace.command("list")
def list_(app: App = "", format_: Format = "stdout") -> None:
    """List the run containers of an app."""
    one_off.show(app, format_)


@namespace.command("logs")
def logs(
    app: OneApp = "",
    container: Name = "",
    tail: Follow = False,
    quiet: Plain = False,
    num: Number = "100",
) -> None:
    """Display recent log output of run containers."""
    one_off.show_logs(app, container, tail, quiet or log.is_quiet(), num)


@namespace.command("stop")
def stop(app: OneApp = "", container: Name = "") -> None:
    """Stop all run containers of an app, or one."""
    one_off.stop(app, container)


@namespace.command("retire")
def retire(app: OneApp = "") -> None:
    """Stop run containers whose time is over."""
    one_off.request_retirement(app)

"""docker-options:* - docker's own options for an app's containers."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, LiteralDashes, ReportWords
from lib.app import docker_options, reports
from lib.base.report import SHELL

namespace = typer.Typer(help="Manage docker options for an app")

Phases = Annotated[str, typer.Argument(metavar="<phase>,...")]
SomePhases = Annotated[list[str] | None, typer.Argument(metavar="[<phase>,...]")]
Phase = Annotated[str, typer.Option("--phase", metavar="PHASE")]
Option = Annotated[list[str] | None, typer.Argument(metavar="<option>...")]
Process = Annotated[str, typer.Option("--process", metavar="TYPE")]
Processes = Annotated[list[str] | None, typer.Option("--process", metavar="TYPE")]

_WORDS = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@namespace.command("add", cls=LiteralDashes, context_settings=_WORDS)
def add(app: App = "", phases: Phases = "", words: Option = None, processes: Processes = None) -> None:
    """Add Docker option to app for phase (comma-separated phase list)."""
    docker_options.add(app, phases, words or [], processes or [])


@namespace.command("clear")
def clear(app: App = "", phases: SomePhases = None, processes: Processes = None) -> None:
    """Clear Docker options from app, on all phases or a comma-separated list."""
    docker_options.clear(app, phases or [], processes or [])


@namespace.command("list")
def list_(app: App = "", phase: Phase = "deploy", process: Process = "", format_: Format = "stdout") -> None:
    """List the Docker options of one phase, one per line."""
    docker_options.show(app, phase, process, format_)


@namespace.command("remove", cls=LiteralDashes, context_settings=_WORDS)
def remove(app: App = "", phases: Phases = "", words: Option = None, processes: Processes = None) -> None:
    """Remove Docker option from app for phase (comma-separated phase list)."""
    docker_options.remove(app, phases, words or [], processes or [])


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a docker options report for one or more apps."""
    title = "docker options information"
    reports.show(words, format_, title, "docker-options-", docker_options.rows, SHELL)

"""resource:* - what an app's processes may use, and what is kept for them."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, ReportWords
from lib.app import reports, resources

namespace = typer.Typer(help="Manage resource settings for an app")

Process = Annotated[str, typer.Option("--process-type", metavar="TYPE")]
Cpu = Annotated[str, typer.Option("--cpu", metavar="N")]
Memory = Annotated[str, typer.Option("--memory", metavar="SIZE")]
Swap = Annotated[str, typer.Option("--memory-swap", metavar="SIZE")]
Network = Annotated[str, typer.Option("--network", metavar="RATE")]
Ingress = Annotated[str, typer.Option("--network-ingress", metavar="RATE")]
Egress = Annotated[str, typer.Option("--network-egress", metavar="RATE")]
Gpu = Annotated[str, typer.Option("--nvidia-gpu", metavar="N")]


@namespace.command("limit")
def limit(
    app: App = "",
    process: Process = "",
    cpu: Cpu = "",
    memory: Memory = "",
    swap: Swap = "",
    network: Network = "",
    ingress: Ingress = "",
    egress: Egress = "",
    gpu: Gpu = "",
) -> None:
    """Limit resources for a given app/process-type combination."""
    given = (cpu, memory, swap, network, ingress, egress, gpu)
    resources.change(app, resources.LIMIT, process, dict(zip(resources.KEYS, given, strict=True)))


@namespace.command("limit-clear")
def limit_clear(app: App = "", process: Process = "") -> None:
    """Clear the limits of a given app/process-type combination."""
    resources.clear(app, resources.LIMIT, process)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a resource report for one or more apps."""
    reports.show(words, format_, "resource information", "resource-", resources.rows)


@namespace.command("reserve")
def reserve(
    app: App = "",
    process: Process = "",
    cpu: Cpu = "",
    memory: Memory = "",
    swap: Swap = "",
    network: Network = "",
    ingress: Ingress = "",
    egress: Egress = "",
    gpu: Gpu = "",
) -> None:
    """Reserve resources for a given app/process-type combination."""
    given = (cpu, memory, swap, network, ingress, egress, gpu)
    resources.change(app, resources.RESERVE, process, dict(zip(resources.KEYS, given, strict=True)))


@namespace.command("reserve-clear")
def reserve_clear(app: App = "", process: Process = "") -> None:
    """Clear the reservations of a given app/process-type combination."""
    resources.clear(app, resources.RESERVE, process)

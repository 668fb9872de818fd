"""network:* - the networks that apps' containers are on."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, Global, Key, Owner, ReportWords, Workers
from lib.app import apps, batches, network_settings, reports
from lib.base import properties
from lib.host import networks
from lib.proxy import batching
from lib.runtime import attachments, listeners

namespace = typer.Typer(help="Manage network settings for an app")

Network = Annotated[str, typer.Argument(metavar="<network>")]
Force = Annotated[bool, typer.Option("--force", help="do not ask")]
Values = Annotated[list[str] | None, typer.Argument(metavar="[<value>...]")]
Shape = Annotated[str, typer.Option("--format", metavar="text|json")]
Managed = Annotated[bool, typer.Option("--dokku-managed", help="only those that network:create made")]


@namespace.command("create")
def create(network: Network = "") -> None:
    """Creates an attachable docker network."""
    networks.create(network)


@namespace.command("destroy")
def destroy(network: Network = "", force: Force = False) -> None:
    """Destroys a docker network."""
    networks.destroy(network, force)


@namespace.command("exists")
def exists(network: Network = "") -> None:
    """Checks if a docker network exists."""
    networks.tell_existence(network)


@namespace.command("info")
def info(network: Network = "", shape: Shape = "text") -> None:
    """Outputs information about a docker network."""
    networks.show(network, shape)


@namespace.command("list")
def list_(shape: Shape = "text", managed: Managed = False) -> None:
    """Lists all docker networks."""
    networks.list_(shape, managed)


@namespace.command("rebuild")
def rebuild(app: App = "") -> None:
    """Rebuilds network settings for an app."""
    attachments.rebuilt(apps.verify_app_name(app))


@namespace.command("rebuildall")
def rebuildall(workers: Workers = 0) -> None:
    """Rebuild network settings for all apps."""
    batches.some("rebuild", attachments.rebuilt, apps.names(), workers, batching.batched)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a network report for one or more apps."""
    general = network_settings.global_rows
    rows = listeners.reporter(words)
    reports.show(words, format_, "network information", "network-", rows, general=general)


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", values: Values = None, is_global: Global = False) -> None:
    """Set or clear a network property for an app, or for all."""
    if is_global:
        network_settings.set_(properties.GLOBAL, owner, [word for word in (key, *(values or [])) if word])
    else:
        network_settings.set_(owner, key, values or [])

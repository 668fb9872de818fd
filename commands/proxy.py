"""proxy:* - which proxy brings traffic to apps, its configuration, and the ports it listens at."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, AllApps, App, Format, Global, Owner, ReportWords, Workers
from lib.app import apps, batches, ports, reports
from lib.proxy import batching, proxies

namespace = typer.Typer(help="Manage the proxy integration for an app")

Setting = Annotated[list[str] | None, typer.Argument(metavar="<proxy-type>|<property> [<value>]")]
Maps = Annotated[list[str] | None, typer.Argument(metavar="<scheme>:<host-port>:<container-port>...")]
MapsOrPorts = Annotated[list[str] | None, typer.Argument(metavar="<host-port>|<map>...")]


@namespace.command("build-config")
def build_config(app: App = "", all_apps: AllApps = False, workers: Workers = 0) -> None:
    """(Re)builds config for a given app."""
    batches.each("build-config", proxies.build_config, app, all_apps, workers, batching.batched)


@namespace.command("clear-config")
def clear_config(app: App = "", all_apps: AllApps = False, workers: Workers = 0) -> None:
    """Clears config for a given app."""
    proxies.clear_config(batches.all_or_one(app, all_apps, workers))


@namespace.command("disable")
def disable(app: App = "", all_apps: AllApps = False, workers: Workers = 0) -> None:
    """Disable proxy for app."""
    batches.each("disable", proxies.disable, app, all_apps, workers, batching.batched)


@namespace.command("enable")
def enable(app: App = "", all_apps: AllApps = False, workers: Workers = 0) -> None:
    """Enable proxy for app."""
    batches.each("enable", proxies.enable, app, all_apps, workers, batching.batched)


@namespace.command("ports")
def ports_(app: App = "", format_: Format = "stdout") -> None:
    """List proxy port mappings for app."""
    ports.show(apps.verify_app_name(app), format_)


@namespace.command("ports-add")
def ports_add(app: App = "", maps: Maps = None) -> None:
    """Add proxy port mappings to an app."""
    ports.add(apps.verify_app_name(app), maps)


@namespace.command("ports-clear")
def ports_clear(app: App = "") -> None:
    """Clear all proxy port mappings for an app."""
    ports.clear(apps.verify_app_name(app))


@namespace.command("ports-remove")
def ports_remove(app: App = "", maps: MapsOrPorts = None) -> None:
    """Remove specific proxy port mappings from an app."""
    ports.remove(apps.verify_app_name(app), maps)


@namespace.command("ports-set")
def ports_set(app: App = "", maps: Maps = None) -> None:
    """Set proxy port mappings for an app."""
    ports.set_(apps.verify_app_name(app), maps)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a proxy report for one or more apps."""
    reports.show(words, format_, "proxy information", "proxy-", proxies.rows, general=proxies.general_rows)


@namespace.command("set")
def set_(owner: Owner = "", words: Setting = None, is_global: Global = False) -> None:
    """Set proxy type, or a proxy property, for an app."""
    proxies.set_(*proxies.addressed(owner, words, is_global))

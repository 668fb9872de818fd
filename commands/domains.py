"""domains:* - the names apps are served under."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, AllApps, App, Format, ReportWords, Workers
from lib.app import apps, batches, domain_reports, domains
from lib.proxy import batching

namespace = typer.Typer(help="Manage domains used by the proxy")

Domains = Annotated[list[str] | None, typer.Argument(metavar="<domain> [<domain> ...]")]


@namespace.command("add")
def add(app: App = "", names: Domains = None) -> None:
    """Add domains to app."""
    domains.add(app, names)


@namespace.command("add-global")
def add_global(names: Domains = None) -> None:
    """Add global domain names."""
    domains.add_global(names)


@namespace.command("clear")
def clear(app: App = "", all_apps: AllApps = False, workers: Workers = 0) -> None:
    """Clear all domains for app, and give it its first ones again."""
    batches.each("clear", domains.clear, app, all_apps, workers, batching.batched)


@namespace.command("clear-global")
def clear_global() -> None:
    """Clear global domain names."""
    domains.clear_global()


@namespace.command("disable")
def disable(app: App = "", all_apps: AllApps = False, workers: Workers = 0) -> None:
    """Disable VHOST support."""
    batches.each("disable", domains.disable, app, all_apps, workers, batching.batched)


@namespace.command("enable")
def enable(app: App = "", all_apps: AllApps = False, workers: Workers = 0) -> None:
    """Enable VHOST support."""
    batches.each("enable", domains.enable, app, all_apps, workers, batching.batched)


@namespace.command("remove")
def remove(app: App = "", names: Domains = None) -> None:
    """Remove domains from app."""
    domains.remove(app, names)


@namespace.command("remove-global")
def remove_global(names: Domains = None) -> None:
    """Remove global domain names."""
    domains.remove_global(names)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a domains report for one or more apps."""
    domain_reports.show(words, format_)


@namespace.command("reset")
def reset(app: App = "", all_apps: AllApps = False, workers: Workers = 0) -> None:
    """Give app the domains of a new one."""
    batches.each("reset", domains.reset, app, all_apps, workers, batching.batched)


@namespace.command("set")
def set_(app: App = "", names: Domains = None) -> None:
    """Set domains for app."""
    domains.set_(app, names)


@namespace.command("set-global")
def set_global(names: Domains = None) -> None:
    """Set global domain names."""
    domains.set_global(names)


@namespace.command("setup")
def setup(app: App = "") -> None:
    """Give app its first domains, if it has none."""
    domains.setup(apps.verify_app_name(app))

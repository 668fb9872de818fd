"""logs - what an app's containers wrote."""

from typing import Annotated

import typer

from commands._params import AllApps, App, Follow
from lib.app import apps, batches
from lib.base import log
from lib.runtime import logs

namespace = typer.Typer(help="Manage log integration for an app")

Process = Annotated[str, typer.Option("--ps", "-p", metavar="<process>", help="web, or web.1")]
Plain = Annotated[bool, typer.Option("--quiet", "-q", help="without time, name and colour")]
Number = Annotated[str, typer.Option("--num", "-n", metavar="N", help="lines of each container")]


@namespace.command("logs")
def show(
    app: App = "", ps: Process = "", tail: Follow = False, quiet: Plain = False, num: Number = "100"
) -> None:
    """Display recent log output."""
    logs.request(apps.verify_app_name(app), ps, tail, quiet or log.is_quiet(), num)


@namespace.command("failed")
def failed(app: App = "", all_apps: AllApps = False) -> None:
    """Shows the last failed deploy logs."""
    if not app and not all_apps:
        log.warn("Deprecated: logs:failed specified without app, assuming --all")
    batches.each("logs:failed", logs.request_failed, app, all_apps or not app, 0)

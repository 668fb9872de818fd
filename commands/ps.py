"""ps:* - run, stop, scale and look at an app's processes."""

import functools
from typing import Annotated

import typer

from commands._params import ANY_FLAG, AllApps, App, Format, OneApp, ReportWords, Workers
from lib import restore as boot
from lib.app import apps, batches, config, process_settings
from lib.base import triggers
from lib.proxy import batching
from lib.runtime import docker_local, lifecycle, schedulers

namespace = typer.Typer(help="Manage app processes")

Counts = Annotated[list[str] | None, typer.Argument(metavar="[<process>=<count>...]")]
Process = Annotated[str, typer.Argument(metavar="[<process>]")]
Property = Annotated[list[str] | None, typer.Argument(metavar="<app> <property> [<value>]")]
SkipDeploy = Annotated[bool, typer.Option("--skip-deploy", help="only write the counts down")]
Everywhere = Annotated[bool, typer.Option("--global", help="for every app, where that makes sense")]


@namespace.command("inspect")
def inspect(app: App = "") -> None:
    """Displays a sanitized version of docker inspect for an app."""
    triggers.fire("scheduler-inspect", schedulers.selected(apps.verify_app_name(app)), app)


@namespace.command("rebuild")
def rebuild(app: App = "", all_apps: AllApps = False, workers: Workers = 0) -> None:
    """Rebuilds an app or all apps."""
    batches.each("rebuild", lifecycle.rebuild, app, all_apps, workers)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a process report for one or more apps."""
    docker_local.report(words, format_)


@namespace.command("restart")
def restart(app: App = "", process: Process = "", all_apps: AllApps = False, workers: Workers = 0) -> None:
    """Restarts an app, one of its process types, or all apps."""
    work = functools.partial(lifecycle.restart, process="" if all_apps else process)
    batches.each("restart", work, app, all_apps, workers)


@namespace.command("restore")
def restore(app: OneApp = "", all_apps: AllApps = False, workers: Workers = 0) -> None:
    """Starts what ran before a reboot."""
    boot.restore(app, all_apps, workers)


@namespace.command("retire")
def retire(app: OneApp = "") -> None:
    """Retires replaced containers that are due, starts killed ones, has vhosts follow those that moved."""
    boot.keep_up(apps.chosen(app, not app))
    lifecycle.retire(app)


@namespace.command("scale")
def scale(
    app: App = "", counts: Counts = None, skip_deploy: SkipDeploy = False, format_: Format = "stdout"
) -> None:
    """Get or set how many instances of each process there are."""
    apps.verify_app_name(app)
    if counts:
        lifecycle.scale(app, counts, skip_deploy)
    else:
        lifecycle.show_scale(app, format_)


@namespace.command("set")
def set_(words: Property = None, everywhere: Everywhere = False) -> None:
    """Set or clear a ps property for an app."""
    process_settings.set_([*([config.GLOBAL] if everywhere else []), *(words or [])])


@namespace.command("start")
def start(app: App = "", all_apps: AllApps = False, workers: Workers = 0) -> None:
    """Starts an app or all apps."""
    batches.each("start", lifecycle.start, app, all_apps, workers, batching.batched)


@namespace.command("stop")
def stop(app: App = "", all_apps: AllApps = False, workers: Workers = 0) -> None:
    """Stops an app or all apps."""
    batches.each("stop", lifecycle.stop, app, all_apps, workers, batching.batched)

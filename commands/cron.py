"""cron:* - tasks that apps have run on a schedule."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, AllApps, App, Format, Global, Key, Owner, ReportWords, Value, addressed
from lib.app import apps, reports
from lib.runtime import cron_jobs, cron_settings

namespace = typer.Typer(help="Manage scheduled cron tasks")

Id = Annotated[str, typer.Argument(metavar="<cron-id>")]
Detach = Annotated[bool, typer.Option("--detach", help="don't wait, print the container's name")]
Ttl = Annotated[str, typer.Option("--ttl-seconds", metavar="N", help="stop it when so much time is over")]
OfPlugins = Annotated[bool, typer.Option("--global", help="what plugins have run")]


@namespace.command("list")
def list_(
    app: App = "", all_apps: AllApps = False, of_plugins: OfPlugins = False, format_: Format = "stdout"
) -> None:
    """List the scheduled cron tasks of an app."""
    if of_plugins:
        cron_settings.list_injected(format_)
    elif all_apps:
        cron_settings.list_(cron_jobs.of_all(), format_, with_app=True)
    else:
        cron_settings.list_(cron_jobs.jobs(apps.verify_app_name(app)), format_)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a cron report for one or more apps."""
    general = cron_settings.general_rows
    reports.show(words, format_, "cron information", "cron-", cron_settings.rows, general=general)


@namespace.command("resume")
def resume(app: App = "", id_: Id = "") -> None:
    """Have a cron task run on schedule again."""
    cron_settings.resume(app, id_)


@namespace.command("run")
def run(app: App = "", id_: Id = "", detach: Detach = False, ttl_seconds: Ttl = "") -> None:
    """Run a cron task of an app now."""
    cron_jobs.run(app, id_, detach, ttl_seconds)


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a cron property for an app."""
    cron_settings.set_(*addressed(owner, key, value, is_global))


@namespace.command("suspend")
def suspend(app: App = "", id_: Id = "") -> None:
    """Have a cron task no longer run on schedule."""
    cron_settings.suspend(app, id_)

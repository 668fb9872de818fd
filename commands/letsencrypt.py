"""letsencrypt:* - certificates from an ACME server.

Where the plugin dokku-letsencrypt is enabled, it answers these commands instead.
"""

import functools
from typing import Annotated

import typer

from commands._params import (
    ANY_FLAG,
    AllApps,
    App,
    Format,
    Global,
    Key,
    OneApp,
    Owner,
    ReportWords,
    Value,
    Workers,
    addressed,
)
from lib.app import apps, batches, reports
from lib.base import log
from lib.base.report import SHELL
from lib.proxy import acme_renewals, acme_settings, letsencrypt
from lib.runtime import cron_table

namespace = typer.Typer(help="Manage certificates from Let's Encrypt")

Force = Annotated[bool, typer.Option("--force", "-f", help="order also where there is no need, or too often")]
Add = Annotated[bool, typer.Option("--add", help="renew on schedule")]
Remove = Annotated[bool, typer.Option("--remove", help="renew only by hand")]


@namespace.command("active")
def active(app: App = "") -> None:
    """Verify if letsencrypt is active for an app."""
    log.plain(str(acme_renewals.of(apps.verify_app_name(app)) is not None).lower())


@namespace.command("auto-renew")
def auto_renew(app: OneApp = "") -> None:
    """Auto-renew certificates if necessary."""
    if app:
        acme_renewals.renew(app)
    else:
        acme_renewals.renew_all()


@namespace.command("cleanup")
def cleanup(app: App = "") -> None:
    """Forget failed orders, and what is left of other ones."""
    letsencrypt.cleanup(app)


@namespace.command("cron-job")
def cron_job(add: Add = False, remove: Remove = False) -> None:
    """Have certificates renewed on schedule, or no longer; without a flag, say which it is."""
    acme_settings.change_renewing(add, remove)
    cron_table.write_all()


@namespace.command("disable")
def disable(app: App = "") -> None:
    """Disable letsencrypt for an app."""
    letsencrypt.disable(app)
    cron_table.write_all()


@namespace.command("enable")
def enable(app: App = "", all_apps: AllApps = False, workers: Workers = 0, force: Force = False) -> None:
    """Enable or renew letsencrypt for an app."""
    batches.each("enable", functools.partial(letsencrypt.enable, force=force), app, all_apps, workers)
    cron_table.write_all()


@namespace.command("list")
def list_(format_: Format = "stdout") -> None:
    """List letsencrypt-secured apps with certificate expiry times."""
    acme_renewals.list_(format_)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a letsencrypt report for one or more apps."""
    rows, general = acme_renewals.rows, acme_renewals.general_rows
    reports.show(words, format_, "letsencrypt information", "letsencrypt-", rows, SHELL, general)


@namespace.command("revoke")
def revoke(app: App = "") -> None:
    """Revoke letsencrypt certificate for app."""
    letsencrypt.revoke(app)
    cron_table.write_all()


@namespace.command("set", context_settings=ANY_FLAG)
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a letsencrypt property for an app, or for all."""
    acme_settings.set_(*addressed(owner, key, value, is_global))

"""apps:* - make, find, copy, rename, lock and destroy apps."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, ReportWords
from lib import renaming
from lib.app import app_reports, apps, deploy_locks, reports

namespace = typer.Typer(help="Manage apps")

Old = Annotated[str, typer.Argument(metavar="<old-app>")]
New = Annotated[str, typer.Argument(metavar="<new-app>")]
Force = Annotated[bool, typer.Option("--force", help="do not ask")]
SkipDeploy = Annotated[bool, typer.Option("--skip-deploy", help="do not deploy the new app")]
IgnoreExisting = Annotated[bool, typer.Option("--ignore-existing", help="do nothing if the new app exists")]


@namespace.command("clone")
def clone(
    old: Old = "", new: New = "", skip_deploy: SkipDeploy = False, ignore_existing: IgnoreExisting = False
) -> None:
    """Clones an app."""
    apps.clone(apps.verify_app_name(old), new, skip_deploy, ignore_existing)


@namespace.command("create")
def create(app: App = "") -> None:
    """Create a new app."""
    apps.create(app)


@namespace.command("destroy")
def destroy(app: App = "", force: Force = False) -> None:
    """Permanently destroy an app."""
    apps.verify_app_name(app)
    apps.confirm_destruction(app, force)
    apps.destroy(app)


@namespace.command("exists")
def exists(app: App = "") -> None:
    """Checks if an app exists."""
    apps.verify_app_name(app)


@namespace.command("list")
def list_(format_: Format = "stdout") -> None:
    """List your apps."""
    app_reports.list_apps(format_)


@namespace.command("lock")
def lock(app: App = "") -> None:
    """Locks an app for deployment."""
    deploy_locks.lock(apps.verify_app_name(app))


@namespace.command("locked")
def locked(app: App = "") -> None:
    """Checks if an app is locked for deployment."""
    deploy_locks.tell(apps.verify_app_name(app))


@namespace.command("rename")
def rename(old: Old = "", new: New = "", skip_deploy: SkipDeploy = False) -> None:
    """Rename an app."""
    apps.rename(apps.verify_app_name(old), new, skip_deploy, renaming.take_over)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Display report about an app."""
    reports.show(words, format_, "app information", "app-", app_reports.rows)


@namespace.command("unlock")
def unlock(app: App = "") -> None:
    """Unlocks an app for deployment."""
    deploy_locks.unlock(apps.verify_app_name(app))

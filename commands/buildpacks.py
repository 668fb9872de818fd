"""buildpacks:* - which buildpacks an app is built with, and on which stack."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, Global, Key, Owner, ReportWords, Value, addressed
from lib.app import apps, reports
from lib.build import buildpacks

namespace = typer.Typer(
    help="Manage buildpacks settings for an app",
    short_help="Manage buildpack settings for an app",  # 0.24 has both
)

Buildpack = Annotated[str, typer.Argument(metavar="<buildpack>")]
Position = Annotated[int, typer.Option("--index", metavar="N", help="its place, from 1")]


@namespace.command("add")
def add(app: App = "", buildpack: Buildpack = "", position: Position = 0) -> None:
    """Add new app buildpack while inserting into list of buildpacks if necessary."""
    buildpacks.add(apps.verify_app_name(app), buildpack, position)


@namespace.command("clear")
def clear(app: App = "") -> None:
    """Clear all buildpacks set on the app."""
    buildpacks.clear(apps.verify_app_name(app))


@namespace.command("list")
def list_(app: App = "") -> None:
    """List all buildpacks for an app."""
    buildpacks.show(apps.verify_app_name(app))


@namespace.command("remove")
def remove(app: App = "", buildpack: Buildpack = "", position: Position = 0) -> None:
    """Remove a buildpack set on the app."""
    buildpacks.remove(apps.verify_app_name(app), buildpack, position)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a buildpack report for one or more apps."""
    title, rows, general = "buildpacks information", buildpacks.rows, buildpacks.general_rows
    reports.show(words, format_, title, "buildpacks-", rows, general=general)


@namespace.command("set")
def set_(app: App = "", buildpack: Buildpack = "", position: Position = 0) -> None:
    """Set new app buildpack at a given position, the first one if no index is specified."""
    buildpacks.set_(apps.verify_app_name(app), buildpack, position)


@namespace.command("set-property")
def set_property(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a buildpacks property for an app."""
    buildpacks.set_property(*addressed(owner, key, value, is_global))

"""builder:* - which builder makes an app's image."""

import typer

from commands._params import ANY_FLAG, App, Format, Global, Key, Owner, ReportWords, Value, addressed
from lib.app import apps, reports
from lib.build import builder_settings, explanations
from lib.source import repos

namespace = typer.Typer(help="Manage builder settings for an app")


@namespace.command("explain")
def explain(app: App = "", format_: Format = "stdout") -> None:
    """Tells which builder will build an app, and why, without building."""
    apps.verify_app_name(app)
    branch, commit = repos.deploy_branch(app), repos.head(app)
    if not commit:
        explanations.show(explanations.without_code(app, branch), format_)
        return
    with repos.checked_out(app, commit) as tree:
        explanations.show(explanations.judged(app, tree, branch, commit), format_)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a builder report for one or more apps."""
    general = builder_settings.global_rows
    reports.show(words, format_, "builder information", "builder-", builder_settings.rows, general=general)


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a builder property for an app."""
    builder_settings.set_(*addressed(owner, key, value, is_global))

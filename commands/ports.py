"""ports:* - the host ports of apps: the names that later releases gave to proxy:ports*."""

import typer

from commands import proxy
from commands._params import ANY_FLAG, Format, ReportWords
from lib.app import ports, reports

namespace = typer.Typer(help="Manage ports for an app")

namespace.command("add")(proxy.ports_add)
namespace.command("clear")(proxy.ports_clear)
namespace.command("list")(proxy.ports_)
namespace.command("remove")(proxy.ports_remove)
namespace.command("set")(proxy.ports_set)


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a ports report for one or more apps."""
    reports.show(words, format_, "ports information", "ports-", ports.rows)

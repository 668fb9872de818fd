"""domains:report. Source: dokku v0.24.0 plugins/domains, cmd-domains-report."""

from collections.abc import Sequence

from lib.app import domains, reports
from lib.base import report
from lib.base.report import Row

_TITLE = "domains information"


def show(words: Sequence[str] | None, shape: str) -> None:
    """Print a report on one app, all apps, or (--global) the host, which is called Global here."""
    given = list(words or [])
    if domains.GLOBAL not in given:
        reports.show(given, shape, _TITLE, "domains-", rows, report.SHELL)
        return
    flag = next((word for word in given if word.startswith("--") and word != domains.GLOBAL), "")
    report.show(_TITLE, "domains-", lambda _: general_rows(), ["Global"], flag, shape, report.SHELL)


def rows(app: str) -> list[Row]:
    """What domains:report knows of an app."""
    return [
        Row("--domains-app-enabled", str(domains.is_enabled(app)).lower()),
        Row("--domains-app-vhosts", " ".join(domains.stored(app))),
        *general_rows(),
    ]


def general_rows() -> list[Row]:
    """What domains:report knows of the host."""
    return [
        Row("--domains-global-enabled", str(bool(domains.valid(domains.GLOBAL))).lower()),
        Row("--domains-global-vhosts", " ".join(domains.stored(domains.GLOBAL))),
    ]

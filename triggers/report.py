"""report APP: print what your namespace reports of an app.

Fired by: lib/host/report.py, for `dokku report APP`. Stdout: the user's.
"""

from lib.app import app_reports, domain_reports, reports
from lib.base.report import SHELL
from lib.proxy import nginx_options, proxies


def apps(app: str, *_: str) -> None:
    reports.show([app], "stdout", "app information", "app-", app_reports.rows)


def nginx(app: str, *_: str) -> None:
    reports.show([app], "stdout", "nginx information", "nginx-", nginx_options.rows, SHELL)


def proxy(app: str, *_: str) -> None:
    reports.show([app], "stdout", "proxy information", "proxy-", proxies.rows)


HANDLERS = {
    "apps": apps,
    "domains": lambda app, *_: domain_reports.show([app], "stdout"),
    "nginx-vhosts": nginx,
    "proxy": proxy,
}

"""report APP: print what your namespace reports of an app.

Fired by: lib/host/report.py, for `dokku report APP`. Stdout: the user's.
"""

from collections.abc import Callable, Sequence

from lib.app import (
    app_reports,
    cert_reports,
    check_settings,
    docker_options,
    domain_reports,
    reports,
    resources,
    storage,
)
from lib.base.report import GO, SHELL, Row
from lib.build import builder_settings, buildpacks
from lib.proxy import haproxy_options, nginx_options, proxies
from lib.runtime import cron_settings, docker_local, listeners, scheduler_settings
from lib.source import branches


def section(title: str, rows: Callable[[str], Sequence[Row]], family: str = GO) -> Callable[..., None]:
    def show(app: str, *_: str) -> None:
        prefix = f"{title.replace(' ', '-')}-"
        reports.show([app], "stdout", f"{title} information", prefix, rows, family)

    return show


HANDLERS = {
    "apps": section("app", app_reports.rows),
    "builder": section("builder", builder_settings.rows),
    "buildpacks": section("buildpacks", buildpacks.rows),
    "certs": section("ssl", cert_reports.rows, SHELL),
    "checks": section("checks", check_settings.rows, SHELL),
    "cron": section("cron", cron_settings.rows),
    "docker-options": section("docker options", docker_options.rows, SHELL),
    "domains": lambda app, *_: domain_reports.show([app], "stdout"),
    "git": section("git", branches.rows, SHELL),
    "network": section("network", listeners.rows),
    "haproxy-vhosts": section("haproxy", haproxy_options.rows, SHELL),
    "nginx-vhosts": section("nginx", nginx_options.rows, SHELL),
    "proxy": section("proxy", proxies.rows),
    "ps": lambda app, *_: docker_local.report([app], "stdout"),
    "resource": section("resource", resources.rows),
    "scheduler-docker-local": section("scheduler-docker-local", scheduler_settings.rows, SHELL),
    "storage": section("storage", storage.rows, SHELL),
}

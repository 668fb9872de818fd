"""report APP: print what your namespace reports of an app.

Fired by: lib/host/report.py, for `dokku report APP`. Stdout: the user's.
"""

from lib.app import app_reports, check_settings, docker_options, domain_reports, reports, resources, storage
from lib.base.report import SHELL
from lib.build import buildpacks as build_settings
from lib.proxy import nginx_options, proxies
from lib.runtime import docker_local
from lib.source import branches


def apps(app: str, *_: str) -> None:
    reports.show([app], "stdout", "app information", "app-", app_reports.rows)


def buildpacks(app: str, *_: str) -> None:
    reports.show([app], "stdout", "buildpacks information", "buildpacks-", build_settings.rows)


def checks(app: str, *_: str) -> None:
    reports.show([app], "stdout", "checks information", "checks-", check_settings.rows, SHELL)


def options(app: str, *_: str) -> None:
    title = "docker options information"
    reports.show([app], "stdout", title, "docker-options-", docker_options.rows, SHELL)


def git(app: str, *_: str) -> None:
    reports.show([app], "stdout", "git information", "git-", branches.rows, SHELL)


def nginx(app: str, *_: str) -> None:
    reports.show([app], "stdout", "nginx information", "nginx-", nginx_options.rows, SHELL)


def proxy(app: str, *_: str) -> None:
    reports.show([app], "stdout", "proxy information", "proxy-", proxies.rows)


def resource(app: str, *_: str) -> None:
    reports.show([app], "stdout", "resource information", "resource-", resources.rows)


def mounts(app: str, *_: str) -> None:
    reports.show([app], "stdout", "storage information", "storage-", storage.rows, SHELL)


HANDLERS = {
    "apps": apps,
    "buildpacks": buildpacks,
    "checks": checks,
    "docker-options": options,
    "domains": lambda app, *_: domain_reports.show([app], "stdout"),
    "git": git,
    "nginx-vhosts": nginx,
    "proxy": proxy,
    "ps": lambda app, *_: docker_local.report([app], "stdout"),
    "resource": resource,
    "storage": mounts,
}

"""`report`: facts about the host for a bug report, or every namespace's report on one app.

Source: dokku v0.24.0 plugins/00_dokku-standard/subcommands/report.
"""

import os
from collections.abc import Sequence

from lib.app import apps
from lib.base import log, run, settings, triggers
from lib.base.errors import DokkuError


def show(words: Sequence[str]) -> None:
    """Print the report on the host; with an app's name, or --all, what its namespaces report too."""
    if any(word.startswith("--format") for word in words):
        raise DokkuError("--format flag not supported on global report")
    named = [word for word in words if not word.startswith("--")]
    chosen = [apps.verify_app_name(named[0])] if named else apps.names() if "--all" in words else []
    if not named:
        _host()
    for app in chosen:
        triggers.fire("report", app)


def _host() -> None:
    system = os.uname()
    log.info1(f"uname: {' '.join(system)}")
    log.info1("memory: ")
    _indented("free", "-m")
    log.info1("docker version: ")
    _indented(settings.docker(), "version")
    log.info1("docker daemon info: ")
    _indented(settings.docker(), "info")
    log.info1(f"git version: {_said('git', '--version')}")
    log.info1(f"sigil version: {_said('sigil', '-v') or 'not installed'}")
    log.info1("herokuish version: ")
    log.info1(f"dokku version: dokku version {settings.VERSION}")
    log.info1("plugn version: built in")
    log.info1("dokku plugins: ")
    for plugin in triggers.plugins():
        log.verbose(plugin.name)


def _indented(*argv: str) -> None:
    for line in _said(*argv).splitlines():
        log.verbose(line)


def _said(*argv: str) -> str:
    try:
        return run.result(*argv, timeout=10).output.decode("utf-8", "replace").strip()
    except DokkuError:
        return ""

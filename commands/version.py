"""version - the release whose contract we keep, and our own release number as its last part."""

import typer

from lib.base import log, settings

namespace = typer.Typer(help="Print dokku's version")


@namespace.command("version")
def version() -> None:
    """Print dokku's version."""
    log.plain(f"dokku version {settings.VERSION}")

"""version - the release whose contract we keep, and our own release number as its last part."""

from typing import Annotated

import typer

from commands._params import Format
from lib.base import log, settings

namespace = typer.Typer(help="Print dokku's version")
Verbose = Annotated[bool, typer.Option("--verbose", help="and those of the programs it works with")]


@namespace.command("version")
def version(verbose: Verbose = False, format_: Format = "") -> None:
    """Print dokku's version."""
    if not verbose and not format_:
        log.plain(f"dokku version {settings.VERSION}")
        return
    from lib.host import versions

    versions.show(format_ or "stdout")

"""ssh-keys:* - who may log in and push."""

from typing import Annotated

import typer

from lib.host import ssh_keys

namespace = typer.Typer(help="Manage public ssh keys used for deployment")

Name = Annotated[str, typer.Argument(metavar="<name>")]
OptionalName = Annotated[str, typer.Argument(metavar="[<name>]")]
File = Annotated[str, typer.Argument(metavar="[/path/to/key]")]
Shape = Annotated[str, typer.Option("--format", metavar="text|json")]
ByFingerprint = Annotated[bool, typer.Option("--fingerprint", help="the argument is a fingerprint")]


@namespace.command("add")
def add(name: Name = "", file: File = "") -> None:
    """Add a new public key by pipe or path."""
    ssh_keys.add(name, file)


@namespace.command("list")
def list_(name: OptionalName = "", shape: Shape = "text") -> None:
    """List of all authorized Dokku public ssh keys."""
    ssh_keys.show(name, shape)


@namespace.command("remove")
def remove(name: Name = "", by_fingerprint: ByFingerprint = False) -> None:
    """Remove SSH public key by name, or by fingerprint."""
    ssh_keys.remove(name, by_fingerprint)

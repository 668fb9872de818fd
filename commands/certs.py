"""certs:* - the certificates that apps are served with."""

from typing import Annotated

import typer

from commands._params import ANY_FLAG, App, Format, ReportWords
from lib.app import apps, cert_reports, certs, reports, self_signed
from lib.base.report import SHELL
from lib.source import cert_files

namespace = typer.Typer(help="Manage SSL (TLS) certs")

Certificate = Annotated[str, typer.Argument(metavar="CRT")]
Key = Annotated[str, typer.Argument(metavar="KEY")]
Domain = Annotated[str, typer.Argument(metavar="DOMAIN")]
Half = Annotated[str, typer.Argument(metavar="<crt|key>")]


@namespace.command("add")
def add(app: App = "", certificate: Certificate = "", key: Key = "") -> None:
    """Add an ssl endpoint to an app. Can also import from a tarball on stdin."""
    apps.verify_app_name(app)
    certs.put(app, *cert_files.given(certificate, key))


@namespace.command("generate")
def generate(app: App = "", domain: Domain = "") -> None:
    """Generate a key and certificate signing request (and self-signed certificate)."""
    self_signed.generate(apps.verify_app_name(app), domain)


@namespace.command("remove")
def remove(app: App = "") -> None:
    """Remove an SSL Endpoint from an app."""
    certs.remove(apps.verify_app_name(app))


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays an ssl report for one or more apps."""
    reports.show(words, format_, "ssl information", "ssl-", cert_reports.rows, SHELL)


@namespace.command("show")
def show(app: App = "", half: Half = "") -> None:
    """Show the server.crt or server.key on stdout."""
    cert_reports.show(apps.verify_app_name(app), half)


@namespace.command("update")
def update(app: App = "", certificate: Certificate = "", key: Key = "") -> None:
    """Update an SSL Endpoint on an app. Can also import from a tarball on stdin."""
    add(app, certificate, key)

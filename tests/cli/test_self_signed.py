"""certs:generate: what it makes, asks and adds."""

import shutil
from pathlib import Path

import pytest

from tests import certificates
from tests.certificates import in_force
from tests.cli.conftest import Dokku

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture
def web(dokku: Dokku) -> Path:
    return dokku.make_app("web")


def test_a_generated_certificate_is_for_the_domain_which_the_app_gets(dokku: Dokku, web: Path) -> None:
    made = dokku("certs:generate", "web", "WWW.example.com")
    assert (made.code, made.err) == (0, "")
    lines = made.out.splitlines()
    assert lines[:6] == [
        "-----> Added www.example.com to web",
        "-----> Installing certificate and key...",
        "-----> The following is a certificate signing request that can be used",
        "-----> to generate an 'officially' signed SSL certificate for web at WWW.example.com",
        "-----> by a CA of your choosing.",
        "-----BEGIN CERTIFICATE REQUEST-----",
    ]
    assert (web / "VHOST").read_text() == "www.example.com\n"
    assert dokku("certs:report", "web", "--ssl-hostnames").out == "www.example.com\n"
    request = "\n".join(lines[5:]).encode() + b"\n"
    assert (web / "tls/server.csr").read_bytes() == request
    asked = certificates.openssl("req", "-noout", "-verify", "-text", input=request).decode()
    assert "DNS:www.example.com" in asked
    before = in_force(web)
    again = dokku("certs:generate", "web", "other.example.com")
    assert again == ("-----> web has an SSL endpoint already defined\n", "", 0)
    assert in_force(web) == before


def test_without_a_domain_the_apps_own_are_taken(dokku: Dokku, web: Path) -> None:
    refused = dokku("certs:generate", "web")
    assert refused == ("", " !     Please specify a domain to generate a certificate for\n", 1)
    dokku("domains:add", "web", "b.example.com", "*.example.org")
    assert dokku("certs:generate", "web").code == 0
    assert dokku("certs:report", "web", "--ssl-hostnames").out == "*.example.org b.example.com\n"


def test_a_domain_that_is_too_long_for_a_common_name_stands_beside_it(dokku: Dokku, web: Path) -> None:
    long = f"{'a' * 60}.example.com"
    dokku("domains:add", "web", long, "b.example.com")
    assert dokku("certs:generate", "web").code == 0
    assert dokku("certs:report", "web", "--ssl-subject").out == "CN=b.example.com\n"
    assert dokku("certs:report", "web", "--ssl-hostnames").out == f"{long} b.example.com\n"


def test_a_certificate_for_one_long_domain_has_no_common_name(dokku: Dokku, web: Path) -> None:
    long = f"{'a' * 60}.example.com"
    made = dokku("certs:generate", "web", long)
    assert (made.err, made.code) == ("", 0)
    assert dokku("certs:report", "web", "--ssl-hostnames").out == f"{long}\n"
    text = certificates.openssl("x509", "-noout", "-text", "-in", str(web / "tls/server.crt")).decode()
    assert "X509v3 Subject Alternative Name: critical\n" in text


def test_a_domain_that_is_none_generates_nothing(dokku: Dokku, web: Path) -> None:
    for domain in ("a.com/CN=b.com", "a.com,DNS:b.com", "a b", "-x"):
        refused = dokku("certs:generate", "web", "--", domain)
        assert (refused.out, refused.code) == ("", 1)
        assert refused.err == f" !     {domain} is invalid. exiting...\n"
    assert not (web / "tls").exists()
    assert not (web / "VHOST").exists()


def test_at_a_terminal_openssl_asks(dokku: Dokku, web: Path) -> None:
    made = dokku.pty(
        "certs:generate", "web", "www.example.com", input="XX\n\n\nAcme\n\nasked.example.com\n\n\n\n"
    )
    assert "Common Name" in made.out
    assert made.code == 0, made
    assert dokku("certs:report", "web", "--ssl-hostnames").out == "asked.example.com www.example.com\n"
    assert "O=Acme" in dokku("certs:report", "web", "--ssl-subject").out

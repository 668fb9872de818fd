"""Certificates from a real ACME server, ordered by the real lego, and answered for by the real nginx."""

import contextlib
import http.client
import re
import secrets
import shutil
import socket
import ssl
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import acme
from tests.system.conftest import PATH, Instance, Result

_CRONTAB = """#!/bin/sh
# the table of this instance alone
table={place}/acme-crontab
case $1 in
-l) [ -f $table ] && cat $table || {{ echo "no crontab for root" >&2; exit 1; }} ;;
-r) rm -f $table ;;
*) cat >$table ;;
esac
"""


class Site(NamedTuple):
    """An app that is deployed once for all tests of this file, and the ACME server beside it."""

    instance: Instance
    server: acme.Server
    app: str
    tls_port: int

    @property
    def host(self) -> str:
        return self.instance.host(self.app)

    @property
    def directory(self) -> Path:
        return self.instance.root / self.app

    def dokku(self, *words: str, **environment: str) -> Result:
        return self.instance.dokku(*words, env={**self.environment, **environment})

    @property
    def environment(self) -> dict[str, str]:
        return {"LEGO_CA_CERTIFICATES": str(self.server.trust)}

    def listen(self) -> None:
        """Serve https at this instance's own port: 443 can be the host's."""
        assert self.dokku("proxy:set", self.app, "proxy-ssl-port", str(self.tls_port)).code == 0

    def in_background(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(self.instance.place / "bin/dokku"), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": PATH, "HOME": "/root", "USER": "root", **self.environment},
            start_new_session=True,
        )

    def visited(self, host: str = "") -> tuple[str, list[str]]:
        """The page over https as who trusts the ACME server's root sees it, and the certificate's names."""
        with self._connected(host) as secure:
            secure.sendall(f"GET / HTTP/1.0\r\nHost: {host or self.host}\r\n\r\n".encode())
            answer = http.client.HTTPResponse(secure)
            answer.begin()
            certificate = secure.getpeercert() or {}
            names = [str(value) for _, value in certificate["subjectAltName"]]  # type: ignore[misc]
            return answer.read().decode(), sorted(names)

    def serial(self) -> str:
        """The serial number of the certificate on disk."""
        return _serial((self.directory / "tls/server.crt").read_bytes())

    def served_serial(self) -> str:
        """The serial number of what nginx shows."""
        with self._connected() as secure:
            return _serial(ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True) or b"").encode())

    @contextlib.contextmanager
    def _connected(self, host: str = "") -> Iterator[ssl.SSLSocket]:
        context = ssl.create_default_context(cafile=str(self.server.root))
        with (
            socket.create_connection(("127.0.0.1", self.tls_port), timeout=10) as raw,
            context.wrap_socket(raw, server_hostname=host or self.host) as secure,
        ):
            yield secure

    def state(self) -> dict[str, bytes]:
        """Every file of the app that a failed order must leave as it is."""
        kept = [self.directory / "nginx.conf", *self.directory.glob("nginx.conf.d/*")]
        kept += self.directory.glob("tls/server.*")
        return {str(path): path.read_bytes() for path in kept if path.exists()}


@pytest.fixture(scope="module")
def site(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    absent = acme.missing()
    if absent:
        pytest.skip(f"no ACME server can be had here: needs the packages {absent}")
    crontab = instance.place / "bin/crontab"
    crontab.write_text(_CRONTAB.format(place=instance.place))
    crontab.chmod(0o755)
    with acme.running(tmp_path_factory.mktemp("acme"), instance.port) as server:
        found = Site(instance, server, instance.name("acme"), 20000 + secrets.randbelow(10000))
        pushed = instance.push(instance.new_repo(instance.sample("acme page")), found.app)
        assert pushed.code == 0, pushed.err
        assert found.dokku("letsencrypt:set", found.app, "server", server.url).code == 0
        assert found.dokku("letsencrypt:set", "--global", "email", "tests@example.com").code == 0
        yield found
        found.dokku("letsencrypt:set", "--global", "email")
    crontab.unlink()


@pytest.fixture
def served(site: Site) -> Site:
    """The app with its certificate, whatever the test before has left (revoking one forgets its port)."""
    site.listen()
    enabled = site.dokku("letsencrypt:enable", site.app)
    assert enabled.code == 0, enabled
    return site


def test_an_app_is_served_over_https_with_a_certificate_for_its_domain(site: Site) -> None:
    site.listen()
    enabled = site.dokku("letsencrypt:enable", site.app)
    assert enabled.code == 0, enabled
    assert site.visited() == ("acme page", [site.host])
    assert site.instance.get(site.app).status == 301
    key = (site.directory / "tls/server.key").resolve()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert site.dokku("letsencrypt:active", site.app).out == "true\n"
    _, row = site.dokku("letsencrypt:list").out.splitlines()
    assert re.split(r"\s{2,}", row)[0] == site.app
    line = rf"\d+ \d+,\d+ \* \* \* {site.instance.place}/bin/dokku --quiet letsencrypt:auto-renew\n"
    assert re.search(line, (site.instance.place / "acme-crontab").read_text())
    nothing_to_do = site.dokku("--quiet", "letsencrypt:auto-renew")
    assert nothing_to_do == ("", "", 0)


def test_the_question_of_the_server_is_answered_before_the_redirect(served: Site) -> None:
    challenge = "/.well-known/acme-challenge"
    token = served.instance.lib / f"data/letsencrypt/challenges{challenge}/token"
    token.write_text("answer")
    assert served.instance.get(served.app, f"{challenge}/token") == (200, "answer")
    assert served.instance.get(served.app, f"{challenge}/none").status == 404
    token.unlink()


def test_a_domain_that_leads_nowhere_fails_in_the_servers_words_and_changes_nothing(served: Site) -> None:
    served.server.lose("elsewhere.apps.test")
    assert served.dokku("domains:add", served.app, "elsewhere.apps.test").code == 0
    before = served.state()
    failed = served.dokku("letsencrypt:enable", served.app)
    assert failed.code == 1
    assert f" !     {served.app} gets no certificate\n" in failed.err
    assert "[elsewhere.apps.test] acme: error: 400 :: urn:ietf:params:acme:error:connection" in failed.err
    assert "could not resolve URL" in failed.err
    assert served.state() == before
    assert served.visited() == ("acme page", [served.host])
    assert served.dokku("--quiet", "letsencrypt:auto-renew") == ("", "", 0)  # not again at once
    assert served.dokku("domains:remove", served.app, "elsewhere.apps.test").code == 0


def test_of_two_at_once_one_orders_and_no_request_is_lost(served: Site) -> None:
    added = "second.apps.test"
    said = served.dokku("domains:add", served.app, added)
    assert "Please run dokku letsencrypt:enable to add https support to the new domain" in said.err
    both = [served.in_background("letsencrypt:enable", served.app) for _ in range(2)]
    pages = []
    while any(process.poll() is None for process in both):
        pages.append(served.visited()[0])
    outputs = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert sorted("Certificate retrieved successfully" in text for text in outputs) == [False, True]
    assert sorted("already; it is renewed when it is time" in text for text in outputs) == [False, True]
    assert set(pages) == {"acme page"}
    assert served.visited(added) == ("acme page", sorted([served.host, added]))


@pytest.mark.parametrize("stage", ["acme-obtained", "cert-written", "cert-in-place", "vhost-written"])
def test_who_is_killed_half_way_leaves_a_whole_pair_and_the_next_one_ends_it(
    served: Site, stage: str
) -> None:
    """CRS-7"""
    killed = served.dokku("letsencrypt:enable", "--force", served.app, DOKKU_TEST_FAILPOINT=stage)
    assert killed.code != 0
    assert served.visited()[0] == "acme page"
    assert served.dokku("letsencrypt:active", served.app).out == "true\n"
    mended = served.dokku("letsencrypt:auto-renew")
    assert mended.code == 0, mended
    assert served.serial() == served.served_serial()
    assert not list((served.instance.lib / "tmp").glob("acme.*"))


def test_a_certificate_of_the_plugin_is_renewed_when_it_is_due(served: Site) -> None:
    """An app as dokku-letsencrypt leaves it, with a certificate that has ten of its ninety days left."""
    old = acme.aged(served.server.root.parent / "old", served.host, age=80, left=10)
    plugins = served.directory / "letsencrypt"
    shutil.rmtree(plugins)
    (plugins / "certs/0f/certificates").mkdir(parents=True)
    (plugins / "certs/0f/config").write_text(f"--server {served.server.url} --email old@example.com\n")
    (plugins / "certs/current").symlink_to(plugins / "certs/0f")
    (plugins / f"certs/0f/certificates/{served.host}.crt").write_bytes(old.certificate)
    for name, content in (("server.crt", old.certificate), ("server.key", old.key)):
        (served.directory / "tls" / name).unlink()
        (served.directory / "tls" / name).write_bytes(content)
    (row,) = served.dokku("--quiet", "letsencrypt:list").out.splitlines()
    cells = re.split(r"\s{2,}", row)
    assert (cells[0], cells[2].split(",")[0], cells[3][-4:]) == (served.app, "9d", " ago")

    renewed = served.dokku("letsencrypt:auto-renew")

    assert renewed.code == 0, renewed
    assert renewed.out.count("Reloading nginx") == 1
    assert served.host in served.visited()[1]
    (row,) = served.dokku("--quiet", "letsencrypt:list").out.splitlines()
    assert re.split(r"\s{2,}", row)[2].startswith("89d, ")


def test_a_revoked_certificate_is_void_and_not_served(served: Site) -> None:
    serial = served.serial()
    assert served.server.status(serial) == "Valid"
    revoked = served.dokku("letsencrypt:revoke", served.app)
    assert revoked.code == 0, revoked
    assert served.server.status(serial) == "Revoked"
    assert served.instance.get(served.app) == (200, "acme page")
    assert not (served.directory / "tls").exists()
    assert served.dokku("letsencrypt:active", served.app).out == "false\n"
    assert not (served.instance.place / "acme-crontab").exists()
    again = served.dokku("letsencrypt:revoke", served.app)
    assert (again.code, again.err) == (1, f" !     Letsencrypt not enabled for {served.app}\n")


def test_the_last_app_with_a_certificate_takes_the_renewal_along(served: Site) -> None:
    table = served.instance.place / "acme-crontab"
    assert "letsencrypt:auto-renew" in table.read_text()
    assert served.dokku("apps:destroy", "--force", served.app).code == 0
    assert not table.exists()


def _serial(pem: bytes) -> str:
    words = ["openssl", "x509", "-noout", "-serial"]
    done = subprocess.run(words, input=pem, check=True, capture_output=True)
    return done.stdout.decode().strip().partition("=")[2]

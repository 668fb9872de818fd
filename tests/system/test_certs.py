"""Certificates in front of real apps: https, names, redirects, and a pair replaced while visitors come."""

import base64
import hashlib
import http.client
import secrets
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import certificates
from tests.certificates import Authority, Leaf, in_force, packed, written
from tests.system.conftest import DOMAIN, Instance, wait_for

ONE, TWO = f"one.{DOMAIN}", f"two.{DOMAIN}"


class Visit(NamedTuple):
    """An answer over https, and the CN of the certificate that was shown."""

    status: int
    body: str
    headers: dict[str, str]
    name: str


class Site(NamedTuple):
    """Two deployed apps behind one port for https: the first with two names."""

    instance: Instance
    authority: Authority
    first: str
    second: str
    port: int

    def visit(self, host: str, trusted: Path | None = None) -> Visit:
        """The page of a host, as who trusts the authority (or another certificate) sees it."""
        context = ssl.create_default_context(cafile=str(trusted or self.authority.path))
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=30) as raw,
            context.wrap_socket(raw, server_hostname=host) as secure,
        ):
            secure.sendall(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            answer = http.client.HTTPResponse(secure)
            answer.begin()
            subject = (secure.getpeercert() or {})["subject"]
            names = [str(value) for rdn in subject for key, value in rdn if key == "commonName"]  # type: ignore[misc,union-attr]
            return Visit(answer.status, answer.read().decode(), dict(answer.getheaders()), names[0])

    def add(self, app: str, leaf: Leaf) -> None:
        added = self.instance.ssh("certs:add", app, input=packed(leaf))
        assert added.code == 0, added

    def directory(self, app: str) -> Path:
        return self.instance.root / app


@pytest.fixture(scope="module")
def site(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    first, second = instance.name("certs-a"), instance.name("certs-b")
    port = 20000 + secrets.randbelow(10000)
    for app, page in ((first, "page of the first"), (second, "page of the second")):
        pushed = instance.push(instance.new_repo(instance.sample(page)), app)
        assert pushed.code == 0, pushed
        assert instance.dokku("config:set", "--no-restart", app, f"DOKKU_PROXY_SSL_PORT={port}").code == 0
    assert instance.dokku("domains:add", first, ONE, TWO).code == 0
    yield Site(instance, authority, first, second, port)
    for app in (first, second):
        assert instance.dokku("apps:destroy", "--force", app).code == 0


@pytest.fixture
def secured(site: Site) -> Leaf:
    """The pair that the first app is served with from here on."""
    leaf = site.authority.leaf(ONE, TWO, site.instance.host(site.first))
    site.add(site.first, leaf)
    return leaf


def curl(*words: str) -> "subprocess.CompletedProcess[str]":
    argv = ["curl", "--silent", "--show-error", "--max-time", "30", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("secured")
def test_curl_that_trusts_the_authority_gets_the_page_and_nobody_else_does(site: Site) -> None:
    resolve = ("--resolve", f"{ONE}:{site.port}:127.0.0.1")
    url = f"https://{ONE}:{site.port}/"
    trusting = curl("--cacert", str(site.authority.path), *resolve, url)
    assert (trusting.returncode, trusting.stdout) == (0, "page of the first")
    assert curl(*resolve, url).returncode == 60


@pytest.mark.usefixtures("secured")
def test_plain_requests_are_sent_to_https_which_browsers_are_to_insist_on(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.instance.port, timeout=30)
    connection.request("GET", "/a?b=c", headers={"Host": ONE})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Location")) == (301, f"https://{ONE}:{site.port}/a?b=c")
    assert site.visit(ONE).headers["Strict-Transport-Security"] == "max-age=15724800; includeSubdomains"
    assert site.instance.dokku("nginx:set", site.first, "hsts", "false").code == 0
    assert site.instance.dokku("proxy:build-config", site.first).code == 0
    assert "Strict-Transport-Security" not in site.visit(ONE).headers
    site.instance.dokku("nginx:set", site.first, "hsts")


@pytest.mark.usefixtures("secured")
def test_each_name_is_answered_with_the_certificate_of_its_app(site: Site, tmp_path: Path) -> None:
    generated = site.instance.dokku("certs:generate", site.second, f"three.{DOMAIN}")
    assert generated.code == 0, generated
    own = site.directory(site.second) / "tls/server.crt"
    for host, trusted, name, page in (
        (ONE, None, ONE, "page of the first"),
        (TWO, None, ONE, "page of the first"),
        (f"three.{DOMAIN}", own, f"three.{DOMAIN}", "page of the second"),
    ):
        visit = site.visit(host, trusted)
        assert (visit.status, visit.name, visit.body) == (200, name, page)
    with pytest.raises(ssl.SSLError):
        site.visit(f"nobodys.{DOMAIN}")
    url = f"https://three.{DOMAIN}:{site.port}/"
    seen = curl("--cacert", str(own), "--resolve", f"three.{DOMAIN}:{site.port}:127.0.0.1", url)
    assert (seen.returncode, seen.stdout) == (0, "page of the second")
    assert site.instance.dokku("certs:remove", site.second).code == 0
    assert site.visit(ONE).status == 200
    assert site.instance.get(site.second).body == "page of the second"
    site.instance.dokku(
        "config:set", "--no-restart", site.second, f"DOKKU_PROXY_SSL_PORT={site.port}"
    )  # removal took it


@pytest.mark.usefixtures("secured")
def test_a_pair_is_replaced_without_a_lost_request(site: Site) -> None:
    """ZDT-6"""
    failed: list[object] = []
    seen: list[str] = []
    over = threading.Event()

    def keep_visiting() -> None:
        while not over.is_set():
            try:
                visit = site.visit(ONE)
            except OSError as error:
                failed.append(error)
                continue
            seen.append(visit.name)
            if visit.body != "page of the first":
                failed.append(visit)

    visitors = [threading.Thread(target=keep_visiting) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    try:
        wait_for(lambda: len(seen) > 20, 60)
        for number in range(3):
            site.add(site.first, site.authority.leaf(ONE, TWO, common=f"pair {number}"))
            wait_for(lambda number=number: seen[-1] == f"pair {number}", 60)  # type: ignore[misc]
    finally:
        over.set()
        for visitor in visitors:
            visitor.join()
    assert not failed
    assert {"pair 0", "pair 1", "pair 2"} <= set(seen)


def test_a_key_that_nginx_refuses_leaves_everything_as_it_was(
    site: Site, secured: Leaf, tmp_path: Path
) -> None:
    """NGX-5, NGX-10"""
    small = certificates.new_key("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:512")
    weak = site.authority.leaf(ONE, TWO, key=small)
    refused = site.instance.dokku("certs:add", site.first, *written(tmp_path, weak))
    assert refused.code == 1
    assert refused.err.startswith(" !     nginx does not take this certificate and key: ")
    assert "key too small" in refused.err
    assert in_force(site.directory(site.first)) == secured
    assert site.visit(ONE).status == 200
    refused = site.instance.dokku("certs:add", site.second, *written(tmp_path, weak))
    assert refused.code == 1
    assert site.instance.dokku("certs:report", site.second, "--ssl-enabled").out == "false\n"
    assert site.instance.get(site.second).body == "page of the second"
    assert site.instance.dokku("nginx:validate-config").code == 0
    assert site.instance.dokku("proxy:build-config", "--all").code == 0


@pytest.mark.parametrize(("stage", "is_new"), [("cert-written", False), ("cert-in-place", True)])
def test_killed_on_the_way_nginx_can_start_and_the_same_call_finishes(
    site: Site, secured: Leaf, stage: str, is_new: bool
) -> None:
    """NGX-5, CRS-7"""
    new = site.authority.leaf(ONE, TWO, common=stage)
    site.instance.set_environment(DOKKU_TEST_FAILPOINT=f"{stage}:kill9")
    words = [str(site.instance.place / "bin/dokku"), "certs:add", site.first]
    subprocess.run(words, input=packed(new), capture_output=True, start_new_session=True, check=False)
    site.instance.set_environment()
    assert in_force(site.directory(site.first)) == (new if is_new else secured)
    assert site.visit(ONE).status == 200
    assert site.instance.dokku("nginx:validate-config").code == 0
    site.add(site.first, new)
    assert site.visit(ONE).name == stage
    assert in_force(site.directory(site.first)) == new


@pytest.mark.usefixtures("secured")
def test_without_the_certificate_the_app_is_plain_again_also_when_killed_on_the_way(site: Site) -> None:
    site.instance.set_environment(DOKKU_TEST_FAILPOINT="cert-left:kill9")
    words = [str(site.instance.place / "bin/dokku"), "certs:remove", site.first]
    subprocess.run(words, capture_output=True, start_new_session=True, check=False)
    site.instance.set_environment()
    assert site.instance.get(site.first).body == "page of the first"
    assert site.instance.dokku("nginx:validate-config").code == 0
    assert site.instance.dokku("certs:remove", site.first).code == 0
    assert site.instance.get(site.first).body == "page of the first"
    assert site.instance.get("", host=ONE).body == "page of the first"
    assert not (site.directory(site.first) / "tls").exists()
    with pytest.raises(OSError, match=r".+"):
        site.visit(ONE)
    site.instance.dokku("config:set", "--no-restart", site.first, f"DOKKU_PROXY_SSL_PORT={site.port}")


def test_a_browser_shows_the_page(site: Site, secured: Leaf, tmp_path: Path) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("no browser is here: needs the package chromium")
    public = certificates.openssl("pkey", "-pubout", "-outform", "DER", input=secured.key)
    trusted = base64.b64encode(hashlib.sha256(public).digest()).decode()

    def seen(*flags: str) -> str:
        profile = tmp_path / secrets.token_hex(4)
        argv = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
        argv += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        argv += [
            "--disable-dev-shm-usage",
            f"--user-data-dir={profile}",
            f"--host-resolver-rules=MAP {ONE} 127.0.0.1",
        ]
        argv += [*flags, "--dump-dom", f"https://{ONE}:{site.port}/"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done
        return done.stdout

    assert "page of the first" in seen(f"--ignore-certificate-errors-spki-list={trusted}")
    assert "page of the first" not in seen()

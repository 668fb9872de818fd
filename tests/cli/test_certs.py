"""certs:* as people call them: what they accept, say and leave on disk."""

import json
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import certificates
from tests.acme import aged
from tests.certificates import Authority, Leaf, in_force, packed, written
from tests.cli.conftest import TREE, Dokku

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def old(authority: Authority) -> Leaf:
    return authority.leaf("old.example.com")


@pytest.fixture(scope="module")
def new(authority: Authority) -> Leaf:
    return authority.leaf("new.example.com", "*.example.org")


@pytest.fixture
def web(dokku: Dokku) -> Path:
    return dokku.make_app("web")


def test_a_pair_of_files_is_added_reported_replaced_and_removed(
    dokku: Dokku, web: Path, tmp_path: Path, old: Leaf, new: Leaf
) -> None:
    assert dokku("certs:add", "web", *written(tmp_path, old)) == ("", "", 0)
    assert in_force(web) == old
    assert dokku("certs:update", "web", *written(tmp_path, new)) == ("", "", 0)
    assert in_force(web) == new
    report = dokku("certs:report", "web")
    assert report.out.splitlines()[0] == "=====> web ssl information"
    assert "       Ssl hostnames:                 *.example.org new.example.com\n" in report.out
    assert "       Ssl verified:                  self signed              \n" in report.out
    assert dokku("certs:show", "web", "crt").out.encode() == new.certificate
    assert dokku("certs:show", "web", "key").out.encode() == new.key
    assert dokku("certs:remove", "web") == ("-----> Removing SSL endpoint from web\n", "", 0)
    assert not (web / "tls").exists()
    again = dokku("certs:remove", "web")
    assert again == ("", " !     An app-specific SSL endpoint is not defined\n", 1)


def test_a_report_for_programs_has_every_key(dokku: Dokku, web: Path, old: Leaf) -> None:
    without = json.loads(dokku("certs:report", "web", "--format", "json").out)
    assert (without["ssl-enabled"], without["ssl-expires-at"], without["ssl-days-left"]) == ("false", "", "")
    assert dokku("certs:add", "web", input=packed(old)).code == 0
    found = json.loads(dokku("certs:report", "web", "--format", "json").out)
    assert (found["enabled"], found["ssl-hostnames"]) == ("true", "old.example.com")
    assert found["days-left"] == "9"
    assert found["serial"] == "1F"
    assert found["ssl-subject"] == 'O="Tests, Inc."; CN=old.example.com'
    assert dokku("certs:report", "web", "--ssl-dir").out == f"{web}/tls\n"
    assert dokku("certs:report", "web", "--ssl-days-left").out == "9\n"
    assert "=====> web ssl information\n" in dokku("report", "web").out


def test_a_value_that_is_not_there_is_not_deployed(dokku: Dokku, web: Path) -> None:
    assert dokku("certs:report", "web", "--ssl-enabled") == ("false\n", "", 0)
    assert dokku("certs:report", "web", "--ssl-issuer") == ("", " !     not deployed\n", 1)
    wrong = dokku("certs:report", "web", "--ssl-nothing")
    assert wrong.code == 1
    assert wrong.err.startswith(" !     Invalid flag passed, valid flags: --ssl-dir --ssl-enabled ")


def bad_pairs(authority: Authority, old: Leaf) -> Iterator[tuple[bytes, bytes, str]]:
    other = authority.leaf("other.example.com")
    hidden = certificates.openssl("pkey", "-aes128", "-passout", "pass:x", input=old.key)
    (authority.place / "both").write_bytes(old.certificate + old.key)
    container = ("pkcs12", "-export", "-in", str(authority.place / "both"), "-passout", "pass:x")
    pfx = certificates.openssl(*container)
    der = certificates.openssl("x509", "-outform", "DER", input=old.certificate)
    chain = authority.path.read_bytes()
    yield old.certificate, other.key, "KEY file does not belong to the certificate in the CRT file\n"
    yield chain + old.certificate, old.key, "CRT file must begin with the certificate of the key"
    yield old.certificate, hidden, "KEY file is encrypted, take its passphrase away first"
    yield der, old.key, "CRT file does not contain a certificate in PEM format, it looks like DER"
    yield pfx, pfx, "CRT file does not contain a certificate in PEM format, it looks like PKCS#12 (.pfx)"
    yield old.certificate, pfx, "KEY file does not contain a private key in PEM format, it looks like PKCS#12"
    yield old.certificate, b"", "KEY file does not contain a private key in PEM format\n"


def test_a_bad_pair_is_refused_with_its_reason_and_the_old_one_stays(
    dokku: Dokku, web: Path, tmp_path: Path, authority: Authority, old: Leaf, new: Leaf
) -> None:
    """NGX-10"""
    dokku("certs:add", "web", *written(tmp_path, new))
    for certificate, key, text in bad_pairs(authority, old):
        refused = dokku("certs:add", "web", *written(tmp_path, Leaf(certificate, key)))
        assert refused.code == 1
        assert refused.out == ""
        assert refused.err.startswith(f" !     {text}")
        assert refused.err.count("\n") == 1
    assert in_force(web) == new


def test_an_expired_certificate_is_taken_with_a_warning(
    dokku: Dokku, web: Path, tmp_path: Path, authority: Authority
) -> None:
    expired = authority.leaf("old.example.com", days=-1)
    taken = dokku("certs:add", "web", *written(tmp_path, expired))
    assert taken.code == 0
    assert " !     The certificate expired at " in taken.err
    assert in_force(web) == expired


def test_a_certificate_that_serves_nothing_is_told(
    dokku: Dokku, web: Path, tmp_path: Path, new: Leaf
) -> None:
    dokku("config:set", "--no-restart", "web", "DOKKU_DOCKERFILE_PORTS=3000")
    taken = dokku("certs:add", "web", *written(tmp_path, new))
    assert taken.code == 0
    assert " !     The certificate of web serves nothing: its ports are http:3000:3000\n" in taken.err
    assert " !     To serve with it: dokku ports:set web http:80:3000 https:443:3000\n" in taken.err


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_a_pair_that_nginx_refuses_is_in_force_at_no_time(
    dokku: Dokku, web: Path, tmp_path: Path, authority: Authority, old: Leaf
) -> None:
    """NGX-10"""
    small = certificates.new_key("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    weak = authority.leaf("old.example.com", key=small)
    dokku.plugin("note", post_certs_update="#!/bin/sh\necho told\n")
    refused = dokku("certs:add", "web", *written(tmp_path, weak))
    assert (refused.out, refused.code) == ("", 1)
    assert refused.err.startswith(" !     nginx does not take this certificate and key: SSL_CTX_use_cert")
    assert refused.err.count("\n") == 1
    assert not (web / "tls").exists()


def test_line_ends_of_windows_and_a_chain_are_taken(
    dokku: Dokku, web: Path, tmp_path: Path, authority: Authority, old: Leaf
) -> None:
    """NGX-10"""
    chain = authority.path.read_bytes()
    pair = Leaf((old.certificate + chain).replace(b"\n", b"\r\n"), old.key.replace(b"\n", b"\r\n"))
    assert dokku("certs:add", "web", *written(tmp_path, pair)).code == 0
    assert in_force(web) == Leaf(old.certificate + chain, old.key)


def test_a_key_that_is_written_with_half_of_its_point_is_taken(
    dokku: Dokku, web: Path, tmp_path: Path, old: Leaf
) -> None:
    short = certificates.openssl("ec", "-conv_form", "compressed", input=old.key)
    assert dokku("certs:add", "web", *written(tmp_path, Leaf(old.certificate, short))) == ("", "", 0)
    assert in_force(web) == Leaf(old.certificate, short)


def test_a_certificate_that_is_not_valid_yet_is_taken_with_a_warning(
    dokku: Dokku, web: Path, tmp_path: Path
) -> None:
    early = aged(tmp_path / "early", "a.example.com", age=-2, left=9)
    said = dokku("certs:add", "web", *written(tmp_path, early))
    assert (said.out, said.code) == ("", 0)
    assert said.err.startswith(" !     The certificate is not valid before ")
    assert said.err.count("\n") == 1


def test_a_pair_that_a_plugin_refuses_leaves_the_old_one(
    dokku: Dokku, web: Path, tmp_path: Path, old: Leaf, new: Leaf
) -> None:
    dokku("certs:add", "web", *written(tmp_path, old))
    dokku.plugin("no", post_certs_update="#!/bin/sh\necho no >&2; exit 3\n")
    refused = dokku("certs:add", "web", *written(tmp_path, new))
    assert refused == ("", "no\n !     web is served as before\n", 3)
    assert in_force(web) == old


def test_https_follows_the_certificate_in_the_port_map(
    dokku: Dokku, web: Path, tmp_path: Path, old: Leaf
) -> None:
    dokku("config:set", "--no-restart", "web", "DOKKU_PROXY_PORT_MAP=http:80:5000 http:8080:5001")
    dokku("certs:add", "web", *written(tmp_path, old))
    entries = dokku("ports:report", "web", "--ports-map").out.split()
    assert entries == ["http:8080:5001", "http:80:5000", "https:443:5000"]
    dokku("certs:remove", "web")
    assert dokku("ports:report", "web", "--ports-map").out.split() == ["http:8080:5001", "http:80:5000"]


def test_a_key_is_in_no_command_line_and_no_message(
    dokku: Dokku, web: Path, tmp_path: Path, old: Leaf
) -> None:
    """SEC-1"""
    notes = tmp_path / "notes"
    dokku.program("openssl", f'#!/bin/sh\necho "$@" >>{notes}; env >>{notes}\nexec {OPENSSL} "$@"\n')
    traced = {"DOKKU_TRACE": "1"}
    said = [
        dokku("certs:add", "web", *written(tmp_path, old), env=traced),
        dokku("certs:add", "web", input=packed(old), env=traced),
        dokku("certs:report", "web", env=traced),
    ]
    assert "pkey -pubout" in notes.read_text()
    logs = "".join(path.read_text() for path in dokku.log.rglob("*") if path.is_file())
    for text in (notes.read_text(), logs, *(part for one in said for part in (one.out, one.err))):
        for secret in old.key.decode().splitlines()[1:-1]:
            assert secret not in text
    assert not [path for path in (dokku.lib / "tmp").rglob("*") if "certificate" in path.name]


def trigger(dokku: Dokku, *words: str) -> tuple[str, str, int]:
    done = subprocess.run(
        [str(TREE / "bin/plugn"), "trigger", *words],
        env=dokku.environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.stdout, done.stderr, done.returncode


def test_plugins_can_ask_for_set_and_remove_a_certificate(
    dokku: Dokku, web: Path, tmp_path: Path, old: Leaf
) -> None:
    assert trigger(dokku, "certs-exists", "web") == ("false\n", "", 0)
    assert trigger(dokku, "certs-get", "web", "crt") == ("", "", 1)
    assert trigger(dokku, "certs-set", "web", "", "")[2] == 1
    assert trigger(dokku, "certs-set", "web", *written(tmp_path, old)) == ("", "", 0)
    assert trigger(dokku, "certs-exists", "web") == ("true\n", "", 0)
    assert trigger(dokku, "certs-get", "web", "crt") == (old.certificate.decode(), "", 0)
    assert trigger(dokku, "certs-get", "web", "key") == (old.key.decode(), "", 0)
    assert trigger(dokku, "certs-get", "web", "csr") == ("", "", 1)
    assert trigger(dokku, "certs-remove", "web")[2] == 0
    assert trigger(dokku, "certs-remove", "web")[2] == 1
    assert not (web / "tls").exists()


def test_a_proxy_with_certificates_of_its_own_makes_urls_secure(dokku: Dokku, web: Path) -> None:
    dokku("domains:add", "web", "web.example.com")
    dokku("ports:set", "web", "http:80:5000", "https:443:5000")
    assert dokku("urls", "web").out == "http://web.example.com\n"
    dokku.plugin("front", certs_force="#!/bin/sh\n[ $1 = web ] && echo true\n")
    assert dokku("url", "web").out == "https://web.example.com\n"


def test_a_clone_has_no_certificate_and_a_renamed_app_keeps_it(
    dokku: Dokku, web: Path, tmp_path: Path, old: Leaf
) -> None:
    dokku("certs:add", "web", *written(tmp_path, old))
    assert dokku("apps:clone", "--skip-deploy", "web", "copy").code == 0
    assert dokku("certs:report", "copy", "--ssl-enabled").out == "false\n"
    assert dokku("apps:rename", "--skip-deploy", "web", "moved").code == 0
    assert dokku("certs:report", "moved", "--ssl-enabled").out == "true\n"
    assert in_force(dokku.root / "moved") == old
    assert stat.S_IMODE((dokku.root / "moved/tls/server.key").stat().st_mode) == 0o600


@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")
def test_killed_at_any_moment_it_leaves_one_whole_pair(
    dokku: Dokku, web: Path, tmp_path: Path, old: Leaf, new: Leaf
) -> None:
    """CRS-7"""
    words = [str(TREE / "bin/dokku"), "certs:add", "web", *written(tmp_path, new)]
    seen = set()
    for call in range(1, 100):
        shutil.rmtree(web / "tls", ignore_errors=True)
        (web / "tls").mkdir()
        written(web / "tls", old)
        kill = f"inject=rename,symlink,unlink,unlinkat:signal=KILL:when={call}"
        tracing = [
            "strace",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=rename,symlink,unlink,unlinkat",
            "-e",
            kill,
        ]
        done = subprocess.run([*tracing, *words], env=dokku.environment, capture_output=True, check=False)
        seen.add(in_force(web))
        if done.returncode == 0:
            break
        assert done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), done
        assert in_force(web) in (old, new)
    assert 8 < call < 99
    assert seen == {old, new}
    assert in_force(web) == new


def test_pairs_that_are_added_at_once_leave_one_of_them(
    dokku: Dokku, web: Path, tmp_path: Path, authority: Authority
) -> None:
    """LCK-7"""
    leaves = [authority.leaf(f"{number}.example.com") for number in range(4)]
    paths = [written(tmp_path, leaf, str(number)) for number, leaf in enumerate(leaves)]
    with ThreadPoolExecutor() as pool:
        added = list(pool.map(lambda files: dokku("certs:add", "web", *files), paths))
    assert added == [("", "", 0)] * 4
    assert in_force(web) in leaves
    assert len(list((web / "tls").glob(".pair.*"))) == 1

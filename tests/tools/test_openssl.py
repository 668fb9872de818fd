"""What the real openssl says of certificates and keys, and what we make of it."""

import shutil
import time

import pytest

from lib.base.errors import ToolFailed
from lib.tools import openssl
from tests import certificates

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certificates.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def leaf(authority):
    return authority.leaf("b.example.com", "*.example.org", common="a.example.com")


def test_a_certificate_says_what_it_is(leaf):
    found = openssl.certificate(leaf.certificate)
    assert found.names == ["*.example.org", "a.example.com", "b.example.com"]
    assert found.subject == 'O="Tests, Inc."; CN=a.example.com'
    assert found.issuer.replace(" ", "") == "CN=AuthorityoftheTests".replace("T", "t", 1)
    assert found.serial == "1F"
    assert len(found.fingerprint) == 95
    assert 9 * 86400 < found.seconds_left <= 10 * 86400
    assert time.strftime("%Y") in found.starts


def test_names_come_from_the_subject_too_and_not_from_what_is_quoted_in_it(authority):
    assert openssl.certificate(authority.leaf(common="only.example.com").certificate).names == [
        "only.example.com"
    ]
    odd = certificates.openssl(
        *("req", "-x509", "-new", "-key", "/dev/stdin", "-subj", "/O=x\\, CN = evil.com/CN=good.com"),
        input=certificates.new_key(),
    )
    assert openssl.certificate(odd).names == ["good.com"]


@pytest.mark.parametrize("kind", [(), ("-algorithm", "ed25519"), ("-algorithm", "RSA")])
def test_a_key_and_its_certificate_have_one_public_key(authority, kind):
    key = certificates.new_key(*kind)
    leaf = authority.leaf("a.example.com", key=key)
    assert openssl.public_key(key) == openssl.certificate(leaf.certificate).public_key


def test_what_is_no_certificate_or_key_fails_with_the_words_of_openssl(leaf):
    for call in (openssl.certificate, openssl.public_key):
        with pytest.raises(ToolFailed, match=r"\S"):
            call(b"-----BEGIN NOTHING-----\nAAAA\n-----END NOTHING-----\n")


def test_an_authority_counts_as_verified_only_if_the_host_trusts_it(authority, leaf, tmp_path, monkeypatch):
    (tmp_path / "server.crt").write_bytes(leaf.certificate)
    assert not openssl.is_verified(str(tmp_path / "server.crt"))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    assert openssl.is_verified(str(tmp_path / "server.crt"))


def test_the_chain_in_a_file_counts_when_it_is_verified(authority, tmp_path, monkeypatch):
    middle = certificates.Authority(tmp_path / "middle")
    signed = authority.leaf(common="middle", key=middle.key.read_bytes(), is_authority=True)
    middle.path.write_bytes(signed.certificate)
    leaf = middle.leaf("a.example.com")
    (tmp_path / "server.crt").write_bytes(leaf.certificate + signed.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    assert openssl.is_verified(str(tmp_path / "server.crt"))

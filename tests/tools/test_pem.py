"""What people hand in as a certificate and its key: what is kept of it, and what is refused."""

import re
import shutil

import hypothesis
import pytest
from hypothesis import strategies as st

from lib.app import pem
from lib.base import log
from lib.base.errors import DokkuError
from tests import certificates

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certificates.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def leaf(authority):
    return authority.leaf("a.example.com")


def test_a_pair_is_kept_without_what_is_not_needed_of_it(authority, leaf):
    noise = b"\xef\xbb\xbfBag Attributes\r\n" + leaf.key + leaf.certificate.replace(b"\n", b"\r\n") + b"x"
    pair = pem.judged(noise + authority.path.read_bytes(), b"# mine\n" + leaf.key.replace(b"\n", b"\r\n"))
    assert pair.certificate == leaf.certificate + authority.path.read_bytes()
    assert pair.key == leaf.key


def test_blanks_at_the_ends_of_lines_are_dropped(leaf):
    pair = pem.judged(*(half.replace(b"\n", b" \t \r\n") for half in leaf))
    assert (pair.certificate, pair.key) == leaf


def test_the_parameters_of_a_curve_stay_with_the_key(leaf):
    old = certificates.openssl("ecparam", "-name", "prime256v1", "-genkey")
    assert b"PARAMETERS" in old
    self_signed = certificates.openssl(
        "req", "-x509", "-new", "-key", "/dev/stdin", "-subj", "/CN=a", input=old
    )
    assert pem.judged(self_signed, old).key == old


def bad_pairs(authority, leaf):
    other = authority.leaf("other.example.com")
    damaged = leaf.certificate.replace(b"MII", b"AAA", 1)
    hidden = certificates.openssl("pkey", "-aes128", "-passout", "pass:x", input=leaf.key)
    old = certificates.openssl(
        "rsa",
        "-aes128",
        "-passout",
        "pass:x",
        "-traditional",
        input=certificates.new_key("-algorithm", "RSA"),
    )
    der = certificates.openssl("x509", "-outform", "DER", input=leaf.certificate)
    der_key = certificates.openssl("pkey", "-outform", "DER", input=leaf.key)
    ca = authority.path.read_bytes()
    return [
        (leaf.certificate, other.key, "KEY file does not belong to the certificate in the CRT file"),
        (ca + leaf.certificate, leaf.key, "CRT file must begin with the certificate of the key, the chain "),
        (leaf.certificate, hidden, "KEY file is encrypted, take its passphrase away first: openssl pkey "),
        (leaf.certificate, old, "KEY file is encrypted"),
        (
            der,
            leaf.key,
            "CRT file does not contain a certificate in PEM format, it looks like DER: openssl x509",
        ),
        (
            leaf.certificate,
            der_key,
            "KEY file does not contain a private key in PEM format, it looks like DER",
        ),
        (leaf.key, leaf.certificate, "CRT file does not contain a certificate in PEM format"),
        (leaf.certificate, leaf.certificate, "KEY file does not contain a private key in PEM format"),
        (b"", b"", "CRT file does not contain a certificate"),
        (damaged, leaf.key, "CRT file contains a certificate that openssl can't read"),
        (leaf.certificate + damaged, leaf.key, "CRT file contains a certificate that openssl can't read"),
        (
            leaf.certificate,
            leaf.key.replace(b"M", b"A"),
            "KEY file contains a private key that openssl can't read",
        ),
        (leaf.certificate, leaf.key + other.key, "KEY file contains more than one private key"),
        (leaf.certificate * 33, leaf.key, "CRT file contains more than 32 certificates"),
    ]


def test_every_bad_pair_is_refused_with_its_reason(authority, leaf):
    """NGX-10"""
    for certificate, key, text in bad_pairs(authority, leaf):
        with pytest.raises(DokkuError) as refused:
            pem.judged(certificate, key)
        assert refused.value.text.startswith(text)
        assert "\n" not in refused.value.text


KINDS = st.sampled_from([b"CERTIFICATE", b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PARAMETERS", b"X509 CRL"])
LINES = st.lists(st.text("ABab01+/=-: ,\t", max_size=8).filter(lambda line: "--" not in line), max_size=4)
NOISE = st.text("ab \n-:=\r\u00e9\ufeff", max_size=20).filter(lambda text: "--" not in text)


@hypothesis.settings(max_examples=200)
@hypothesis.given(st.lists(st.tuples(NOISE, KINDS, LINES)), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_every_block_is_found_whatever_stands_between_them(parts, line_end):
    wanted, text = [], b""
    for noise, kind, lines in parts:
        body = "".join(f"{line.rstrip('-')}\n" for line in lines).encode()
        block = b"-----BEGIN %s-----\n%s-----END %s-----\n" % (kind, body, kind)
        wanted.append((kind, re.sub(rb"[ \t]+\n", b"\n", block)))
        text += noise.replace("\r", "").encode() + b"\n" + block
    assert pem.blocks(text.replace(b"\n", line_end)) == wanted


@hypothesis.given(
    st.binary() | st.lists(st.sampled_from([b"-----BEGIN A-----\n", b"-----END A-----", b"x\n"]))
)
def test_whatever_is_handed_in_blocks_are_whole(data):
    data = data if isinstance(data, bytes) else b"".join(data)
    for kind, block in pem.blocks(data):
        assert block.startswith(b"-----BEGIN " + kind)
        assert block.endswith(b"-----END " + kind + b"-----\n")
        assert block.count(b"-----") == 4


def test_many_beginnings_without_an_end_are_read_in_no_time():
    begins = b"-----BEGIN CERTIFICATE-----\n" * (pem.LARGEST // 28)
    assert pem.blocks(begins) == []
    assert pem.blocks(begins + b"AAAA\n-----END CERTIFICATE-----")[0][1].count(b"BEGIN") == 1


def test_what_browsers_refuse_is_told(authority, leaf):
    expired = authority.leaf("a.example.com", days=-1)
    self_signed = certificates.openssl(
        "req", "-x509", "-new", "-key", "/dev/stdin", "-subj", "/O=A, B/CN=a", input=leaf.key
    )
    warnings = []
    for certificate, key in (leaf, expired, (self_signed, leaf.key)):
        with log.collected() as said:
            pem.warn_of_visitors(pem.judged(certificate, key).says)
        warnings.append(b"".join(data for _, data in said).decode())
    assert warnings[0] == ""
    assert warnings[1].startswith(" !     The certificate expired at ")
    assert warnings[2] == " !     The certificate is self-signed: browsers warn of it\n"

"""PEM texts: what somebody hands in as a certificate and its key, judged before anything is done with it.

Only what is needed is kept of them, with Unix line ends: the certificates in their order, the one key.
"""

import re
import time
from typing import NamedTuple

from lib.base import log
from lib.base.errors import DokkuError, ToolFailed
from lib.tools import openssl

LARGEST = 1024 * 1024  # bytes of a file that may be one
_MOST = 32  # certificates of one chain
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----\n(?:(?!-----).)*-----END \1-----", re.DOTALL)
_PKCS12 = re.compile(rb"0(?:[\x00-\x80]|[\x81-\x84].{1,4}?)\x02\x01\x03", re.DOTALL)  # with its version
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")
_PARAMETERS = b"EC PARAMETERS"


class Pair(NamedTuple):
    """A certificate with the chain that follows it, its private key, and what the certificate says."""

    certificate: bytes
    key: bytes
    says: openssl.Certificate


def judged(certificate: bytes, key: bytes) -> Pair:
    """A pair that a web server can use. Raises: DokkuError saying why it can't."""
    chain, private = _chain(certificate), _key(key)
    known = [_described(block) for block in chain]
    try:
        wanted = openssl.public_key(private)
    except ToolFailed:
        raise DokkuError("KEY file contains a private key that openssl can't read") from None
    publics = [one.public_key for one in known]
    if publics[0] != wanted:  # perhaps one key, written in two ways
        publics, wanted = [openssl.uncompressed(one) for one in publics], openssl.uncompressed(wanted)
    if publics[0] != wanted:
        if wanted in publics:
            raise DokkuError("CRT file must begin with the certificate of the key, the chain comes after it")
        raise DokkuError("KEY file does not belong to the certificate in the CRT file")
    return Pair(b"".join(chain), private, known[0])


def warn_of_visitors(says: openssl.Certificate) -> None:
    """Tell why browsers will refuse a certificate, though a web server serves with it."""
    if says.seconds_left <= 0:
        log.warn(f"The certificate expired at {says.ends}: browsers refuse it")
    if says.starts_at > time.time():
        log.warn(f"The certificate is not valid before {says.starts}: browsers refuse it until then")
    if says.is_self_signed:
        log.warn("The certificate is self-signed: browsers warn of it")


def blocks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Every PEM block of a text with its kind, the line ends those of Unix and no blanks before them."""
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    plain = b"\n".join(line.rstrip(b" \t") for line in lines)
    return [(match[1], match[0] + b"\n") for match in _BLOCK.finditer(plain)]


def _chain(data: bytes) -> list[bytes]:
    found = [text for kind, text in blocks(data) if kind in _CERTIFICATES]
    if not found:
        raise _no_pem("CRT", "certificate", "x509", "-nokeys", data)
    if len(found) > _MOST:
        raise DokkuError(f"CRT file contains more than {_MOST} certificates")
    return found


def _key(data: bytes) -> bytes:
    whole = blocks(data)
    found = [(kind, text) for kind, text in whole if kind.endswith(b"PRIVATE KEY")]
    if not found:
        raise _no_pem("KEY", "private key", "pkey", "-nocerts -nodes", data)
    if len(found) > 1:
        raise DokkuError("KEY file contains more than one private key")
    kind, text = found[0]
    if kind.startswith(b"ENCRYPTED") or b"ENCRYPTED" in text.split(b"\n\n")[0]:
        raise DokkuError(
            "KEY file is encrypted, take its passphrase away first: openssl pkey -in KEY -out KEY"
        )
    return b"".join(text for kind, text in whole if kind == _PARAMETERS) + text


def _described(block: bytes) -> openssl.Certificate:
    try:
        return openssl.certificate(block)
    except ToolFailed:
        raise DokkuError("CRT file contains a certificate that openssl can't read") from None


def _no_pem(which: str, what: str, converter: str, only: str, data: bytes) -> DokkuError:
    """converter: openssl's command for a file in DER. only: what it is to take of a container of both."""
    text = f"{which} file does not contain a {what} in PEM format"
    if _PKCS12.match(data):
        text += f", it looks like PKCS#12 (.pfx): openssl pkcs12 {only} -in {which} -out {which}.pem"
    elif data.startswith(b"0") and not data.isascii():
        text += f", it looks like DER: openssl {converter} -inform DER -in {which} -out {which}.pem"
    return DokkuError(text)

"""openssl: what certificates and keys say of themselves. Keys go in through stdin, never as words."""

import calendar
import re
import time
from collections.abc import Sequence
from typing import NamedTuple

from lib.base import run
from lib.base.errors import ToolFailed

_LOCALE = {"LC_ALL": "C.UTF-8"}
_PLAIN_CURVE = ("-ec_conv_form", "uncompressed", "-ec_param_enc", "named_curve")
_LONGEST_COMMON_NAME = 64  # RFC 5280, ub-common-name
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_PART = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^",])+')
_COMMON_NAME = re.compile(r"(?:^|, |\+ ?)CN ?= ?([^,+]+)")
_PUBLIC_KEY = re.compile(r"-----BEGIN PUBLIC KEY-----\n[^-]*-----END PUBLIC KEY-----\n")
_ALTERNATIVE = re.compile(r"DNS:([^,\s]+)")


class Certificate(NamedTuple):
    """starts, ends: as openssl writes them, `Dec  4 04:38:17 2026 GMT`. names: the CN and the DNS names."""

    subject: str
    issuer: str
    starts: str
    ends: str
    serial: str
    fingerprint: str
    names: list[str]
    public_key: str

    @property
    def starts_at(self) -> float:
        """In seconds since the epoch, as ends_at."""
        return _moment(self.starts)

    @property
    def ends_at(self) -> float:
        return _moment(self.ends)

    @property
    def is_self_signed(self) -> bool:
        return bool(self.subject) and _joined(self.issuer) == self.subject

    @property
    def seconds_left(self) -> float:
        """Until it expires; negative for one that has."""
        return self.ends_at - time.time()


def certificate(pem: bytes) -> Certificate:
    """The first certificate of a PEM text. Raises: ToolFailed when openssl can't read it."""
    what = ("-subject", "-issuer", "-dates", "-serial", "-fingerprint", "-sha256", "-pubkey")
    said = _said("x509", "-noout", *what, "-ext", "subjectAltName", "-nameopt", "oneline", stdin=pem)
    key = _PUBLIC_KEY.search(said)
    about = _PUBLIC_KEY.sub("", said)
    fields = dict(line.split("=", 1) for line in about.splitlines() if "=" in line and line[0] != " ")
    subject = fields["subject"].strip()
    alternatives = "\n".join(line for line in about.splitlines() if line.startswith(" "))
    return Certificate(
        subject=_joined(subject),
        issuer=fields["issuer"].strip(),
        starts=fields["notBefore"],
        ends=fields["notAfter"],
        serial=fields["serial"],
        fingerprint=next(value for key, value in fields.items() if key.lower().startswith("sha256")),
        names=sorted({*_common_names(subject), *_ALTERNATIVE.findall(alternatives)}),
        public_key=key[0] if key else "",
    )


def public_key(key: bytes) -> str:
    """The public half of a private key, as `certificate` has it. Raises: ToolFailed for one it can't read."""
    return _said("pkey", "-pubout", "-passin", "pass:", stdin=key)


def uncompressed(public: str) -> str:
    """A public key of an elliptic curve, which may be written in several ways, in one; others as they are."""
    try:
        return _said("pkey", "-pubin", "-pubout", *_PLAIN_CURVE, stdin=public.encode())
    except ToolFailed:
        return public


def new_key() -> bytes:
    """A new RSA key of 2048 bits."""
    words = ("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    return run.capture_bytes("openssl", *words, env=_LOCALE, show_errors=False)


def request(key: str, names: Sequence[str]) -> bytes:
    """A certificate signing request for these names, the first that is short enough its CN.

    key: the file of the key.
    """
    common = next((name for name in names if len(name) <= _LONGEST_COMMON_NAME), "")
    subject = f"/CN={common}" if common else "/"
    words = ("req", "-new", "-key", key, "-subj", subject, "-addext", alternative_names(names, bool(common)))
    return run.capture_bytes("openssl", *words, env=_LOCALE, show_errors=False)


def alternative_names(names: Sequence[str], has_subject: bool) -> str:
    """The extension that names what a certificate is for; without a subject nobody may overlook it."""
    critical = "" if has_subject else "critical,"
    return f"subjectAltName={critical}{','.join(f'DNS:{name}' for name in names)}"


def ask_for_request(key: str, path: str) -> None:
    """Let openssl ask at our terminal what a signing request needs, and write it to a new file."""
    run.run("openssl", "req", "-new", "-key", key, "-out", path, env=_LOCALE, stdin=run.INHERIT)


def requested_name(request: bytes) -> str:
    """The CN of a signing request; empty without one."""
    said = _said("req", "-noout", "-subject", "-nameopt", "oneline", stdin=request)
    return next(iter(_common_names(said.partition("=")[2].strip())), "")


def self_signed(request: bytes, key: str, extensions: str, days: int) -> bytes:
    """A certificate for a signing request, signed with its own key. extensions: a file in openssl's form."""
    words = ("-signkey", key, "-extfile", extensions, "-days", str(days))
    return _said("x509", "-req", *words, stdin=request).encode()


def is_verified(path: str) -> bool:
    """Whether this host trusts the first certificate of a file, given the others in it."""
    return run.succeeds("openssl", "verify", "-purpose", "sslserver", "-untrusted", path, path)


def _moment(date: str) -> float:
    return calendar.timegm(time.strptime(date, "%b %d %H:%M:%S %Y %Z"))


def _said(*words: str, stdin: bytes = b"") -> str:
    done = run.result("openssl", *words, env=_LOCALE, stdin=stdin)
    if done.status:
        raise ToolFailed("openssl", done.status, done.errors.decode("utf-8", "replace").strip())
    return done.output.decode("utf-8", "replace")


def _common_names(subject: str) -> list[str]:
    return [name.strip() for name in _COMMON_NAME.findall(_QUOTED.sub("", subject))]


def _joined(name: str) -> str:
    return "; ".join(_tight(part) for part in _PART.findall(name))


def _tight(part: str) -> str:
    key, _, value = part.strip().partition("=")
    return f"{key.strip()}={value.strip()}"

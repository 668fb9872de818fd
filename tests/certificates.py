"""Certificates for tests, made by openssl: an authority of the test's own, and what it signs."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.archives import archive, member

CURVE = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")


class Leaf(NamedTuple):
    """A certificate and its key, in PEM format."""

    certificate: bytes
    key: bytes


class Authority:
    """A certificate authority in a directory. path: its own certificate."""

    def __init__(self, place: Path, name: str = "Authority of the tests") -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.place, self.path, self.key = place, place / "ca.pem", place / "ca.key"
        self.key.write_bytes(new_key())
        words = ("-key", str(self.key), "-days", "30", "-subj", f"/CN={name}", "-out", str(self.path))
        openssl("req", "-x509", "-new", *words)

    def leaf(
        self, *names: str, common: str = "", days: int = 10, key: bytes = b"", is_authority: bool = False
    ) -> Leaf:
        """A certificate for these DNS names. common: its CN, the first name if not given. key: a new one if
        not given."""
        key = key or new_key()
        own = self.place / "leaf.key"
        own.write_bytes(key)
        asked = openssl("req", "-new", "-key", str(own), "-subj", f"/O=Tests, Inc./CN={common or names[0]}")
        extensions = self.place / "extensions"
        kind = "basicConstraints=critical,CA:true" if is_authority else "basicConstraints=CA:false"
        alternatives = ",".join(f"DNS:{name}" for name in names)
        extensions.write_text(f"{kind}\n" + (f"subjectAltName={alternatives}\n" if names else ""))
        by = ("-CA", str(self.path), "-CAkey", str(self.key), "-set_serial", "0x1f", "-days", str(days))
        signed = openssl("x509", "-req", *by, "-extfile", str(extensions), input=asked)
        return Leaf(signed, key)


def new_key(*kind: str) -> bytes:
    """A private key, of a kind that is made quickly."""
    return openssl("genpkey", *(kind or CURVE))


def openssl(*words: str, input: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *words], input=input, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def written(place: Path, leaf: Leaf, name: str = "server") -> tuple[str, str]:
    """The paths of a pair's files."""
    for half, content in zip(("crt", "key"), leaf, strict=True):
        (place / f"{name}.{half}").write_bytes(content)
    return str(place / f"{name}.crt"), str(place / f"{name}.key")


def packed(leaf: Leaf) -> bytes:
    return archive(member("server.crt", leaf.certificate), member("server.key", leaf.key))


def in_force(app: Path) -> Leaf:
    return Leaf((app / "tls/server.crt").read_bytes(), (app / "tls/server.key").read_bytes())

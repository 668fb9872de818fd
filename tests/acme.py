"""A real ACME server of the tests' own (pebble), with a name server that sends every domain to us."""

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.certificates import Authority, Leaf, new_key, openssl
from tests.ports import free_port

PROGRAMS = {"lego": "lego", "pebble": "pebble", "pebble-challtestsrv": "pebble"}  # and Debian's packages
ENVIRONMENT = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "100"}


class Server(NamedTuple):
    """url: of its directory. trust: the certificate that signed its own. root: that of all it issues."""

    url: str
    management: str
    names: str
    trust: Path
    root: Path

    def lose(self, domain: str) -> None:
        """Have the server not find out where a domain is."""
        body = json.dumps({"host": domain}).encode()
        urllib.request.urlopen(f"{self.names}/set-servfail", body, timeout=10).close()

    def status(self, serial: str) -> str:
        """What the server says of a certificate: Valid or Revoked. serial: as openssl prints it."""
        with self._asked(f"/cert-status-by-serial/{serial.lower()}") as answer:
            return str(json.load(answer)["Status"])

    def issued(self) -> bytes:
        """The certificate at the top of all that the server issues, in PEM."""
        with self._asked("/roots/0") as answer:
            return bytes(answer.read())

    def _asked(self, path: str) -> Any:
        context = ssl.create_default_context(cafile=str(self.trust))
        return urllib.request.urlopen(f"{self.management}{path}", context=context, timeout=10)


def missing() -> str:
    """The packages that a server needs and this machine lacks; empty when it can be had."""
    absent = {package for program, package in PROGRAMS.items() if shutil.which(program) is None}
    return " ".join(sorted(absent))


class Ports(NamedTuple):
    """What a server listens at, all on loopback."""

    directory: int
    management: int
    names: int
    names_management: int


def furnish(place: Path, home: str, ports: Ports, http_port: int) -> tuple[Authority, list[list[str]]]:
    """Write a server's files; who signed its own certificate, and the command lines of its two programs.

    home: the place as the programs will know it. http_port: where domains have to answer the server.
    """
    authority = Authority(place, "Authority of the ACME server")
    leaf = authority.leaf("localhost")
    (place / "server.crt").write_bytes(leaf.certificate)
    (place / "server.key").write_bytes(leaf.key)
    how = {
        "listenAddress": f"127.0.0.1:{ports.directory}",
        "managementListenAddress": f"127.0.0.1:{ports.management}",
        "certificate": f"{home}/server.crt",
        "privateKey": f"{home}/server.key",
        "httpPort": http_port,
        "tlsPort": 1,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
        "certificateValidityPeriod": 90 * 24 * 60 * 60,
    }
    (place / "pebble.json").write_text(json.dumps({"pebble": how}))
    resolver = f"127.0.0.1:{ports.names}"
    nowhere = (f"-{kind}=" for kind in ("http01", "https01", "tlsalpn01", "defaultIPv6"))
    resolving = ["pebble-challtestsrv", *nowhere, "-dns01", resolver]
    resolving += ["-management", f"127.0.0.1:{ports.names_management}"]
    return authority, [resolving, ["pebble", "-config", f"{home}/pebble.json", "-dnsserver", resolver]]


@contextlib.contextmanager
def running(place: Path, http_port: int) -> Iterator[Server]:
    """A server that lasts as long as the block. http_port: where domains have to answer it."""
    ports = Ports(*(free_port() for _ in Ports._fields))
    authority, (resolving, issuing) = furnish(place, str(place), ports, http_port)
    found = Server(
        f"https://localhost:{ports.directory}/dir",
        f"https://localhost:{ports.management}",
        f"http://127.0.0.1:{ports.names_management}",
        authority.path,
        place / "issued.pem",
    )
    with _daemon(place, resolving, ports.names_management), _daemon(place, issuing, ports.directory):
        found.root.write_bytes(found.issued())
        yield found


def aged(place: Path, name: str, age: int, left: int) -> Leaf:
    """A certificate that was made some days ago and is good for some more."""
    authority = Authority(place, "Authority of former days")
    (place / "index").touch()
    (place / "serial").write_text("1f\n")
    how = ["[ca]", "default_ca=x", "[x]", f"database={place}/index", f"serial={place}/serial", "policy=p"]
    how += [f"new_certs_dir={place}", "default_md=sha256", "copy_extensions=copy"]
    how += ["[p]", "commonName=supplied"]
    (place / "ca.conf").write_text("\n".join(how))
    key = new_key()
    (place / "aged.key").write_bytes(key)
    words = ("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-out", str(place / "asked"))
    openssl("req", "-new", "-key", str(place / "aged.key"), *words)
    starts, ends = (
        time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 24 * 60 * 60))
        for days in (-age, left)
    )
    by = ("-config", str(place / "ca.conf"), "-cert", str(authority.path), "-keyfile", str(authority.key))
    when = ("-startdate", starts, "-enddate", ends)
    files = ("-in", str(place / "asked"), "-out", str(place / "aged.crt"))
    openssl("ca", "-batch", "-notext", *by, *when, *files)
    return Leaf((place / "aged.crt").read_bytes(), key)


@contextlib.contextmanager
def _daemon(place: Path, argv: list[str], port: int) -> Iterator[None]:
    """A program in the background, from when it listens at a port to the end of the block."""
    env = {**os.environ, **ENVIRONMENT}
    with open(place / f"{argv[0]}.log", "ab") as output:
        streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
        process = subprocess.Popen(argv, env=env, cwd=place, **streams)
    try:
        deadline = time.monotonic() + 30
        while not _listens(port):
            assert process.poll() is None, (place / f"{argv[0]}.log").read_text()
            assert time.monotonic() < deadline, f"{argv[0]} does not listen"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

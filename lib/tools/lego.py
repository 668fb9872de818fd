"""lego: one order of a certificate over HTTP-01, or the revocation of one. Results and accounts are files.

An account of which it finds no file is registered, and with that the server's terms are agreed to. A server
whose own certificate no public authority signed is trusted with LEGO_CA_CERTIFICATES in the environment.
"""

import os
import re
import shutil
from collections.abc import Sequence
from typing import NamedTuple

from lib.base import files, run
from lib.base.errors import DokkuError

PATIENCE = 60  # seconds, and as many for each domain
_DATED = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?P<text>.*)")
UNKNOWN_ACCOUNT = ":accountDoesNotExist"
_VOID = ":alreadyRevoked"  # kinds of error by the names that ACME gives them, RFC 8555 6.7
_STEPS = ("[INFO]", "No key found for account ", "Saved key to ")


class Account(NamedTuple):
    """server: the address of an ACME directory."""

    server: str
    email: str


class Pair(NamedTuple):
    """certificate: it and those of its issuers, in PEM, as key."""

    certificate: bytes
    key: bytes


def verify_installed() -> None:
    if shutil.which("lego") is None:
        raise DokkuError("lego is not installed, which orders certificates. As root: apt-get install lego")


def obtain(account: Account, directory: str, webroot: str, names: Sequence[str]) -> Pair:
    """Order a certificate for some domains, and wait for it.

    directory: lego's own, with the accounts it knows. webroot: what the domains' servers show at
    /.well-known/acme-challenge. Raises: DokkuError whose `more` is what the server said.
    """
    how = ["--http", "--http.webroot", webroot]
    _run([*_words(account, directory, names), *how], ["run"], PATIENCE * (1 + len(names)))
    kept = os.path.join(directory, "certificates", names[0])
    return Pair(*(files.read(f"{kept}.{end}").encode() for end in ("crt", "key")))


def revoke(account: Account, directory: str, name: str, certificate: bytes) -> None:
    """Have the server declare a certificate void that it issued to this account, for name among others.

    One that is void already is a success.
    """
    kept = f"{name.replace('*', '_')}.crt"
    files.replace(os.path.join(directory, "certificates", kept), certificate)
    try:
        _run(_words(account, directory, [name]), ["revoke", "--keep"], PATIENCE)
    except DokkuError as error:
        if not is_said(error, _VOID):
            raise


def account_directory(account: Account) -> str:
    """Where lego keeps an account, below its directory."""
    host = account.server.partition("://")[2].partition("/")[0].replace(":", "_")
    return os.path.join("accounts", host, account.email)


def complaint(said: str) -> list[str]:
    """What went wrong, of all that lego writes about its steps (4.9, on stderr): one text per line."""
    found = []
    for line in said.splitlines():
        match = _DATED.fullmatch(line)
        text = (match["text"] if match else line).strip()
        if text and not text.startswith(_STEPS):
            found.append(text)
    return found


def is_said(error: DokkuError, kind: str) -> bool:
    """Whether the server named this kind of error: lego has no status for it, and shows what was said."""
    return any(kind in line for line in error.more)


def _words(account: Account, directory: str, names: Sequence[str]) -> list[str]:
    wanted = [word for name in names for word in ("--domains", name)]
    who = ["--server", account.server, "--email", account.email, "--accept-tos"]
    return ["lego", "--path", directory, *who, *wanted]


def _run(options: Sequence[str], command: Sequence[str], timeout: float) -> None:
    done = run.result(*options, *command, timeout=timeout)
    if done.status:
        said = complaint(done.errors.decode("utf-8", "replace"))
        raise DokkuError(f"lego {command[0]} failed", more=tuple(said or [f"status {done.status}"]))

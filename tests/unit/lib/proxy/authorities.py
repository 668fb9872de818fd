"""An ACME server in memory, and a lego that asks the nginx of `host` what that server would ask."""

import base64
import itertools
import json
import os
import re
import shlex
import time
from pathlib import Path

from tests.conftest import Answer
from tests.unit.lib.proxy.conftest import Host

DAY = 24 * 60 * 60
REFUSAL = "[{name}] acme: error: 400 :: urn:ietf:params:acme:error:connection :: nobody there"
PUBLIC = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"


class Authority:
    """broken: domains that the server does not reach; says: what it says of those.

    knows_accounts: not, when it has lost those that were registered.

    age, lifetime: of what it issues next, in seconds. orders: the domains of each. asked: lego's words.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.age, self.lifetime = 0.0, 90.0 * DAY
        self.broken: list[str] = []
        self.says = REFUSAL
        self.knows_accounts = True
        self.orders: list[list[str]] = []
        self.asked: list[list[str]] = []
        others = host._answer
        host._answer = lambda line: self._answer(line) or others(line)  # type: ignore[method-assign]

    def certificate(self, *names: str) -> str:
        """A certificate in PEM, as far as anybody here looks into it."""
        starts = int(time.time() - self.age)
        text = f"{os.urandom(4).hex()} {starts} {int(starts + self.lifetime)} {' '.join(names)}"
        body = base64.b64encode(text.encode()).decode()
        return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"

    def _answer(self, line: str) -> Answer | None:
        if line.startswith("openssl x509"):
            return Answer(self._described(self.host.calls[-1].stdin).encode(), b"", 0, None)
        if line.startswith("openssl pkey"):
            return Answer(PUBLIC.encode(), b"", 0, None)
        if line.startswith("lego "):
            return self._heard(shlex.split(line))
        return None

    def _described(self, stdin: bytes) -> str:
        """What openssl says of a certificate of ours: it is all written in there."""
        body = re.search(rb"-----BEGIN CERTIFICATE-----\n(.*?)\n", stdin)
        assert body, stdin
        _, starts, ends, *names = base64.b64decode(body[1]).decode().split()
        dates = [time.strftime("%b %d %H:%M:%S %Y GMT", time.gmtime(float(at))) for at in (starts, ends)]
        alternatives = ", ".join(f"DNS:{name}" for name in names)
        return (
            f"subject=CN = {names[0]}\nissuer=CN = me\nnotBefore={dates[0]}\nnotAfter={dates[1]}\nserial=01\n"
            f"sha256 Fingerprint=AA\n{PUBLIC}X509v3 Subject Alternative Name: \n    {alternatives}\n"
        )

    def _heard(self, argv: list[str]) -> Answer:
        self.asked.append(argv)
        given = dict(itertools.pairwise(argv))
        names = [word for before, word in itertools.pairwise(argv) if before == "--domains"]
        place = Path(given["--path"])
        host = given["--server"].partition("://")[2].partition("/")[0].replace(":", "_")
        account = place / "accounts" / host / given["--email"]
        if (account / "account.json").exists() and not self.knows_accounts:
            return Answer(b"", b"acme: error: 400 :: urn:ietf:params:acme:error:accountDoesNotExist", 1, None)
        (account / "keys").mkdir(parents=True, exist_ok=True)
        (account / f"keys/{given['--email']}.key").write_text("an account's key\n")
        (account / "account.json").write_text(json.dumps({"email": given["--email"]}))
        if "revoke" in argv:
            return Answer(b"", b"", 0, None)
        self.orders.append(names)
        answered = any("acme-challenge/ {" in text for text in self.host.in_force.values())
        refused = [name for name in names if name in self.broken or not answered]
        if refused:
            return Answer(b"", self.says.format(name=refused[0]).encode(), 1, None)
        (place / "certificates").mkdir()
        (place / "certificates" / f"{names[0]}.crt").write_text(self.certificate(*names))
        (place / "certificates" / f"{names[0]}.key").write_text(KEY)
        return Answer(b"", b"", 0, None)

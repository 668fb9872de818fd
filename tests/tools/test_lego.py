"""The lego wrapper: its command line, what it leaves, what it complains of."""

import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base.errors import DokkuError
from lib.tools import lego

ACCOUNT = lego.Account("https://acme.example:14000/dir", "me@example.com")
SAID = """2026/11/24 04:40:15 No key found for account me@example.com. Generating a P256 key.
2026/11/24 04:40:15 Saved key to /tmp/x/accounts/acme.example_14000/me@example.com/keys/me@example.com.key
2026/11/24 04:40:15 [INFO] acme: Registering account for me@example.com
2026/11/24 04:40:15 [INFO] [bad.example, c.example] acme: Obtaining bundled SAN certificate
2026/11/24 04:40:21 Could not obtain certificates:
\terror: one or more domains had a problem:
[bad.example] acme: error: 400 :: urn:ietf:params:acme:error:connection :: connection refused
"""
COMPLAINT = [
    "Could not obtain certificates:",
    "error: one or more domains had a problem:",
    "[bad.example] acme: error: 400 :: urn:ietf:params:acme:error:connection :: connection refused",
]


@pytest.fixture
def leaving(shell, tmp_path):
    """Let lego leave a pair for a.example."""

    def leave(argv):
        directory = os.path.join(argv[argv.index("--path") + 1], "certificates")
        os.makedirs(directory)
        for end, text in (("crt", "the chain\n"), ("key", "the key\n"), ("issuer.crt", "not this\n")):
            with open(os.path.join(directory, f"a.example.{end}"), "w") as file:
                file.write(text)

    shell.answers("lego …", does=leave)
    return shell


def test_an_order_names_every_domain_and_brings_the_pair_of_the_first(leaving, tmp_path):
    pair = lego.obtain(ACCOUNT, str(tmp_path), "/web root", ["a.example", "b.example"])
    assert pair == (b"the chain\n", b"the key\n")
    (call,) = leaving.calls
    who = ["--server", "https://acme.example:14000/dir", "--email", "me@example.com", "--accept-tos"]
    wanted = ["--domains", "a.example", "--domains", "b.example"]
    how = ["--http", "--http.webroot", "/web root", "run"]
    assert call.argv == ["lego", "--path", str(tmp_path), *who, *wanted, *how]
    assert call.timeout == 180


def test_a_revocation_hands_over_the_certificate_and_no_key(shell, tmp_path):
    lego.revoke(ACCOUNT, str(tmp_path), "a.example", b"the chain\n")
    (call,) = shell.calls
    assert call.argv[-4:] == ["--domains", "a.example", "revoke", "--keep"]
    (left,) = (tmp_path / "certificates").iterdir()
    assert (left.name, left.read_bytes()) == ("a.example.crt", b"the chain\n")
    assert stat.S_IMODE(left.stat().st_mode) == 0o600


def test_a_certificate_for_a_wildcard_lies_where_lego_looks_for_it(shell, tmp_path):
    lego.revoke(ACCOUNT, str(tmp_path), "*.a.example", b"the chain\n")
    assert [path.name for path in (tmp_path / "certificates").iterdir()] == ["_.a.example.crt"]


@pytest.mark.parametrize("kind", ["alreadyRevoked", "unauthorized"])
def test_what_is_void_already_can_be_revoked_and_nothing_else(shell, tmp_path, kind):
    shell.answers("lego …", err=f"acme: error: 400 :: urn:ietf:params:acme:error:{kind} :: x", status=1)
    if kind == "alreadyRevoked":
        lego.revoke(ACCOUNT, str(tmp_path), "a.example", b"the chain\n")
        return
    with pytest.raises(DokkuError, match=r"^lego revoke failed$"):
        lego.revoke(ACCOUNT, str(tmp_path), "a.example", b"the chain\n")


@pytest.mark.parametrize(("err", "more"), [(SAID, COMPLAINT), ("", ["status 3"])])
def test_a_failure_brings_the_servers_words_without_the_steps_before(shell, tmp_path, err, more):
    shell.answers("lego …", err=err, status=3)
    with pytest.raises(DokkuError, match="lego run failed") as raised:
        lego.obtain(ACCOUNT, str(tmp_path), "/web", ["a.example"])
    assert list(raised.value.more) == more


@given(st.text(max_size=300))
def test_whatever_lego_writes_ends_in_lines_that_say_something(said):
    for line in lego.complaint(said):
        assert line.strip() == line != ""
        assert not line.startswith("[INFO]")


def test_an_account_is_looked_for_where_lego_keeps_it():
    assert lego.account_directory(ACCOUNT) == "accounts/acme.example_14000/me@example.com"


def test_without_lego_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(DokkuError, match="As root: apt-get install lego"):
        lego.verify_installed()

"""git:auth, git:allow-host and the deploy key: what is taken, what is refused, what is written."""

import os
import stat

import pytest

from lib.base import files, log, settings
from lib.base.errors import DokkuError
from lib.source import credentials, netrc

HOST = "git.example.com"
RSA = f"{HOST} ssh-rsa AAAAB3NzaC1yc2E="
ED25519 = f"{HOST} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"
ECDSA = f"{HOST} ecdsa-sha2-nistp256 AAAAE2VjZHNh"


@pytest.fixture(autouse=True)
def said(fs, shell):
    """What the code under test writes: pairs of stream and bytes."""
    with log.collected() as lines:
        yield lines


def text_of(said, stream=1):
    return b"".join(data for number, data in said if number == stream).decode()


def ours(name):
    return os.path.join(settings.root(), ".ssh", name)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


# --- git:auth -------------------------------------------------------------------------------------------


def test_a_user_and_a_password_are_kept_until_they_are_taken_away(said):
    credentials.authenticate([HOST, "me", "-secret"])
    assert files.read(netrc.path()) == f"machine {HOST}\n  login me\n  password -secret\n"
    credentials.verify([HOST, "me", "-secret"])
    credentials.authenticate([HOST])
    credentials.authenticate([HOST])
    assert files.read(netrc.path()) == ""
    credentials.verify([HOST])
    removing = f"-----> Removing netrc auth entry for host {HOST}\n"
    assert text_of(said) == f"-----> Setting netrc auth entry for host {HOST}\n" + removing * 2
    assert text_of(said, 2) == ""


@pytest.mark.parametrize(
    "words", [[HOST, "me", "Secret"], [HOST, "you", "secret"], [HOST], ["other", "me", "secret"]]
)
def test_a_difference_is_told_by_the_status_alone(said, words):
    netrc.store(HOST, "me", "secret")
    with pytest.raises(DokkuError) as refused:
        credentials.verify(words)
    assert (refused.value.text, refused.value.exit_code, said) == ("", 1, [])


def test_a_port_is_kept(said):
    """NET-12"""
    credentials.authenticate([f"{HOST}:8443", "me", "secret"])
    assert files.read(netrc.path()).startswith(f"machine {HOST}:8443\n")
    assert text_of(said, 2) == ""


BAD_HOSTS = [
    *("-f/etc/shadow", "-x", "a b", "a#b", 'a"b', "a'b", "h\nmachine y", "h password y", "a/b", "a@b"),
    *("https://a", "a:b", "a:0", "a:65536", "a:1:2", "a..b", ".a", "é", "*.a", "a\0", "[a]", "[::1", "::g"),
]


@pytest.mark.parametrize("act", [credentials.authenticate, credentials.verify])
@pytest.mark.parametrize("host", BAD_HOSTS)
def test_what_can_be_no_host_is_refused(said, act, host):
    """NAME-13"""
    with pytest.raises(DokkuError, match="Invalid git host: "):
        act([host, "me", "secret"])
    with pytest.raises(DokkuError, match="Invalid git host: "):
        credentials.allow_host(host)
    assert not os.path.exists(netrc.path())
    assert said == []


@pytest.mark.parametrize("host", ["a", "A.Example", "10.0.0.1", "::1", "[::1]", "[::1]:22", "a_b.c", "x.y:1"])
def test_names_and_addresses_are_hosts(host):
    """NAME-13"""
    credentials.authenticate([host, "me", "secret"])
    assert netrc.has(host, "me", "secret")


@pytest.mark.parametrize("act", [credentials.authenticate, credentials.verify])
@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "Please supply a git host"),
        ([""], "Please supply a git host"),
        ([HOST, "me", ""], "Missing password for netrc auth entry"),
        ([HOST, "", "secret"], "Missing user for netrc auth entry"),
        ([HOST, "me", "secret", "words"], "Too many words: a host, a user and a password were expected"),
        ([HOST, "me", "se\ncret"], "Invalid password for netrc auth entry: it has a line break or a NUL"),
        ([HOST, "me", "se\rcret"], "Invalid password for netrc auth entry: it has a line break or a NUL"),
        ([HOST, "me", "se\0cret"], "Invalid password for netrc auth entry: it has a line break or a NUL"),
        ([HOST, "me\nmachine", "secret"], "Invalid user for netrc auth entry: it has a line break or a NUL"),
        ([HOST, "me", "se\udce9cret"], "Invalid password for netrc auth entry: it is not UTF-8"),
        ([HOST, "me", "é" * 1001], "Invalid password for netrc auth entry: it is longer than 2000 bytes"),
    ],
)
def test_a_refusal_tells_no_secret_and_changes_nothing(said, act, words, text):
    """NET-6, SEC-5"""
    with pytest.raises(DokkuError) as refused:
        act(words)
    assert (refused.value.text, refused.value.exit_code) == (text, 1)
    assert not os.path.exists(netrc.path())
    assert said == []


# --- git:allow-host -------------------------------------------------------------------------------------


def test_each_call_adds_one_line_and_tells_the_fingerprint(said, shell):
    shell.answers("ssh-keyscan …", out=f"# {HOST}:22 SSH-2.0-x\n{RSA}\n")
    shell.answers("ssh-keygen -l …", out="3072 SHA256:abc no comment (RSA)\n")
    for number in (1, 2):
        credentials.allow_host(HOST)
        assert files.read(ours("known_hosts")) == f"{RSA}\n" * number
    assert text_of(said) == f"-----> {HOST} added to known hosts\n       SHA256:abc\n" * 2
    assert shell.ran[:2] == [
        f"ssh-keyscan -T 10 -t rsa {HOST}",
        "ssh-keygen -l -E sha256 -f -",
    ]
    assert shell.calls[1].stdin == b"ssh-rsa AAAAB3NzaC1yc2E=\n"
    assert (mode(ours("known_hosts")), mode(ours(""))) == (0o600, 0o700)


def test_what_stood_there_stays(fs, shell):
    fs.create_file(ours("known_hosts"), contents="# mine\n|1|x|y ssh-rsa AAAA")
    shell.answers("ssh-keyscan …", out=f"{RSA}\n")
    credentials.allow_host(HOST)
    assert files.read(ours("known_hosts")) == f"# mine\n|1|x|y ssh-rsa AAAA\n{RSA}\n"


@pytest.mark.parametrize("shown", [f"{ECDSA}\n{ED25519}\n", f"{ED25519}\n{ECDSA}\n", f"{ED25519}\n"])
def test_a_server_without_an_rsa_key_is_known_by_its_best_one(shell, shown):
    shell.answers("ssh-keyscan … ed25519,ecdsa …", out=shown)
    credentials.allow_host(HOST)
    assert files.read(ours("known_hosts")) == f"{ED25519}\n"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (f"{HOST}:2222", f"-p 2222 -t rsa {HOST}"),
        ("[::1]:2222", "-p 2222 -t rsa ::1"),
        ("::1", "-t rsa ::1"),
    ],
)
def test_a_server_may_listen_elsewhere(said, shell, place, words):
    shell.answers("ssh-keyscan …", out="[x]:2222 ssh-rsa AAAA\n")
    credentials.allow_host(place)
    assert shell.ran[0] == f"ssh-keyscan -T 10 {words}"
    assert f"-----> {place} added to known hosts\n" in text_of(said)


@pytest.mark.parametrize("shown", ["", "# x\n", "<html>\n", f"{HOST} ssh-rsa AAAA; x\n", "\xff\n"])
def test_a_server_that_shows_no_key_is_not_added(said, shell, shown):
    shell.answers("ssh-keyscan …", out=shown, err="getaddrinfo: unknown\n", status=1)
    with pytest.raises(DokkuError, match=f"Unable to get an ssh host key from {HOST}"):
        credentials.allow_host(HOST)
    assert not os.path.exists(ours("known_hosts"))
    assert said == []


def test_no_host_is_told_as_dokku_does():
    with pytest.raises(DokkuError, match="Please supply a git host"):
        credentials.allow_host("")


# --- the deploy key -------------------------------------------------------------------------------------

ADVICE = """\
There is no deploy key associated with the dokku user.
Generate an ssh key with the following command (do not specify a password):
  ssh-keygen -t ed25519 -C 'example@example.com'
As an alternative, configure the netrc authentication via the git:auth command
"""


def test_without_a_key_there_is_advice():
    with pytest.raises(DokkuError) as refused:
        credentials.show_public_key()
    assert "".join(f"{line}\n" for line in (refused.value.text, *refused.value.more)) == ADVICE
    assert not credentials.has_deploy_key()


def test_the_newer_key_is_the_one_to_give_away(fs, said):
    fs.create_file(ours("id_rsa.pub"), contents="ssh-rsa AAAA old\n")
    credentials.show_public_key()
    fs.create_file(ours("id_ed25519.pub"), contents="ssh-ed25519 AAAA new\n")
    credentials.show_public_key()
    assert text_of(said) == "ssh-rsa AAAA old\nssh-ed25519 AAAA new\n"
    assert credentials.has_deploy_key()


def test_a_key_is_made_where_there_is_none(shell):
    credentials.generate_deploy_key()
    comment = f"{settings.user()}@{os.uname().nodename}"
    assert shell.ran == [f"ssh-keygen -t ed25519 -N '' -C {comment} -f {ours('id_ed25519')}"]
    assert mode(ours("")) == 0o700


@pytest.mark.parametrize("name", ["id_ed25519", "id_rsa"])
def test_a_key_is_never_replaced(fs, said, shell, name):
    fs.create_file(ours(name), contents="x")
    fs.create_file(ours(f"{name}.pub"), contents="x")
    credentials.generate_deploy_key()
    assert text_of(said) == " !     A deploy key already exists for this host\n"
    assert shell.ran == []


def test_a_public_half_that_was_not_written_any_more_is_made_up_for(fs, shell):
    fs.create_file(ours("id_ed25519"), contents="x")
    shell.answers("ssh-keygen -y …", out="ssh-ed25519 AAAA dokku@host\n")
    credentials.generate_deploy_key()
    assert files.read(ours("id_ed25519.pub")) == "ssh-ed25519 AAAA dokku@host\n"
    assert credentials.has_deploy_key()

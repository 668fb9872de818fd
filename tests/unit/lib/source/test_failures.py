"""Sentences of real git, libcurl and ssh, and what is to be made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.source import failures

ACCESS = "fatal: unable to access 'https://git.example.com/a/b.git/': "
NO_READ = (
    "fatal: Could not read from remote repository.\n\n"
    "Please make sure you have the correct access rights\nand the repository exists.\n"
)

AUTH = [
    "fatal: could not read Username for 'https://github.com': terminal prompts disabled\n",
    "fatal: could not read Password for 'https://me@github.com': terminal prompts disabled\n",
    "remote: Invalid username or password.\nfatal: Authentication failed for 'https://github.com/a/b.git/'\n",
    f"{ACCESS}The requested URL returned error: 403\n",
    f"{ACCESS}The requested URL returned error: 401\n",
    "error: RPC failed; HTTP 403 curl 22 The requested URL returned error: 403\n",
    f"git@github.com: Permission denied (publickey).\r\n{NO_READ}",
    f"git@example.com: Permission denied (publickey,password,keyboard-interactive).\r\n{NO_READ}",
    f"git@example.com: Permission denied (gssapi-with-mic,publickey).\r\n{NO_READ}",
    f"No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict checking.\r\n"
    f"Host key verification failed.\r\n{NO_READ}",
    "remote: Repository not found.\nfatal: repository 'https://github.com/a/none.git/' not found\n",
]
PERMANENT = [
    "warning: Could not find remote branch x to clone.\n"
    "fatal: Remote branch x not found in upstream origin\n",
    "fatal: '/srv/x' does not appear to be a git repository\nfatal: not a git repository: '/srv/x'\n",
    "fatal: transport 'ext' not allowed\n",
    "fatal: transport 'file' not allowed\n",
    "fatal: strange hostname '-oProxyCommand=x' blocked\n",
    f"{ACCESS}server certificate verification failed. CAfile: none CRLfile: none\n",
    f"{ACCESS}SSL certificate problem: self-signed certificate\n",
    f"{ACCESS}SSL certificate problem: certificate has expired\n",
    f"{ACCESS}SSL: no alternative certificate subject name matches target host name '127.0.0.1'\n",
    f"{ACCESS}The requested URL returned error: 404\n",
    f"{ACCESS}The requested URL returned error: 410\n",
    "error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413\n",
    f'{ACCESS}Protocol "file" not supported or disabled in libcurl\n',
]
TRANSIENT = [
    f"{ACCESS}Could not resolve host: git.example.com\n",
    f"ssh: Could not resolve hostname git.example.com: Temporary failure in name resolution\r\n{NO_READ}",
    f"{ACCESS}Failed to connect to git.example.com port 443 after 0 ms: Couldn't connect to server\n",
    f"ssh: connect to host 127.0.0.1 port 1: Connection refused\r\n{NO_READ}",
    f"{ACCESS}Recv failure: Connection reset by peer\n",
    f"ssh: connect to host 192.0.2.1 port 22: Connection timed out\r\n{NO_READ}",
    f"Connection timed out during banner exchange\r\nConnection to 192.0.2.1 port 22 timed out\r\n{NO_READ}",
    f"{ACCESS}transfer closed with 1024 bytes remaining to read\n",
    "error: RPC failed; curl 18 transfer closed with outstanding read data remaining\n"
    "fatal: expected flush after ref listing\n",
    "fatal: early EOF\nfatal: fetch-pack: invalid index-pack output\n",
    "error: RPC failed; curl 56 GnuTLS recv error (-9): Error decoding the received TLS packet.\n",
    "error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly: CANCEL (err 8)\n",
    f"{ACCESS}Operation too slow. Less than 1 bytes/sec transferred the last 60 seconds\n",
    "fetch-pack: unexpected disconnect while reading sideband packet\n",
    *(f"{ACCESS}The requested URL returned error: {n}\n" for n in (408, 425, 429, 500, 502, 503, 504)),
    "error: RPC failed; HTTP 503 curl 22 The requested URL returned error: 503\n",
]
UNKNOWN = [
    "",
    "fatal: the remote end hung up unexpectedly\n",
    "fatal: bad object 1234\n",
    "error: 503 things went wrong\n",
    "fatal: write error: No space left on device\n",
]


@pytest.mark.parametrize(
    ("text", "judgement"),
    [
        *((text, "auth") for text in AUTH),
        *((text, "permanent") for text in PERMANENT),
        *((text, "transient") for text in TRANSIENT),
        *((text, "unknown") for text in UNKNOWN),
    ],
)
def test_a_sentence_of_git_is_known_for_what_it_is(text: str, judgement: str) -> None:
    """SYN-2, SYN-3"""
    assert failures.judged(text) == judgement


@pytest.mark.parametrize("auth", AUTH)
@pytest.mark.parametrize("other", [TRANSIENT[0], TRANSIENT[-1], PERMANENT[0]])
def test_a_refusal_for_want_of_credentials_beats_whatever_else_is_said(auth: str, other: str) -> None:
    """SYN-2"""
    assert failures.judged(auth + other) == failures.judged(other + auth) == "auth"


@pytest.mark.parametrize("lasting", PERMANENT)
def test_a_lasting_failure_beats_a_passing_one(lasting: str) -> None:
    assert failures.judged(TRANSIENT[0] + lasting) == "permanent"


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert failures.judged(text) in ("auth", "permanent", "transient", "unknown")


@pytest.mark.parametrize(
    ("statuses", "judgement"),
    [
        ((401, 403), "auth"),
        ((400, 404, 405, 407, 410, 413, 422, 451), "permanent"),
        ((408, 425, 429, 500, 501, 502, 503, 504, 599), "transient"),
        ((0, 200, 204, 302, 304), "unknown"),
    ],
)
def test_a_status_of_http_is_known_for_what_it_is(statuses: tuple[int, ...], judgement: str) -> None:
    assert {failures.judged_status(status) for status in statuses} == {judgement}

"""The curl wrapper: what stands on its command line, and what does not."""

import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.tools import curl

URL = "https://me:secret@example.com/a.tar"


def test_no_credential_is_a_word_of_the_command(shell):
    """ARC-15"""
    curl.download(URL, "/tmp/archive", size=5_000_000, timeout=30, stall=60)
    (call,) = shell.calls
    assert "secret" not in " ".join(call.argv)
    assert call.stdin == f'url = "{URL}"\n'.encode()
    assert call.argv[:6] == ["prlimit", "--fsize=5000000", "--", "curl", "--disable", "--config"]


def test_only_the_web_is_reached_and_nothing_waits_for_ever(shell):
    """ARC-15, SYN-10"""
    curl.download(URL, "/tmp/archive", size=5_000_000, timeout=30, stall=60)
    (line,) = shell.ran
    for words in (
        *("--fail", "--location --max-redirs 10", "--proto =http,https --proto-redir =http,https"),
        *("--connect-timeout 15", "--speed-time 60 --speed-limit 256", "--max-time 30.000", "--globoff"),
        *("--max-filesize 5000000", "--silent"),
    ):
        assert f" {words} " in line
    assert "--insecure" not in line


def test_a_user_is_no_word_of_the_command_either(shell):
    curl.download("https://example.com/a.tar", "/tmp/archive", 5, 30, stall=60, user=("me", 'a"b:c'))
    (call,) = shell.calls
    assert call.stdin == b'url = "https://example.com/a.tar"\nuser = "me:a\\"b:c"\n'
    assert "netrc" not in " ".join(call.argv)


def test_a_bar_is_shown_when_asked_for(shell):
    curl.download(URL, "/tmp/archive", size=5, timeout=30, stall=60, shows_progress=True)
    assert "--progress-bar" in shell.calls[0].argv
    assert "--silent" not in shell.calls[0].argv


@pytest.mark.parametrize(
    ("said", "status", "expected"),
    [
        ("200\n\n\n", 0, curl.Download(0, 200, "", "")),
        ("503\n7\nThe requested URL\n", 22, curl.Download(22, 503, "7", "The requested URL")),
        ("000\n\nCould not resolve host: x\n", 6, curl.Download(6, 0, "", "Could not resolve host: x")),
        ("", -9, curl.Download(-9, 0, "", "")),
    ],
)
def test_what_curl_says_is_understood(shell, said, status, expected):
    """RUN-6"""
    shell.answers("…curl…", out=said, status=status)
    assert curl.download(URL, "/tmp/archive", size=5, timeout=30, stall=60) == expected


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
@pytest.mark.parametrize("tail", ['"', "\\", '\\"', "'", "#x", '"\\\\"', "ä", "\udcff"])
def test_an_address_of_any_characters_is_one_value(tail, tmp_path):
    """A value that ended early would leave a line that curl does not know, or another address."""
    done = curl.download(f"http://127.0.0.1:1/{tail}", str(tmp_path / "x"), size=5, timeout=30, stall=60)
    assert (done.status, done.error[:30]) == (7, "Failed to connect to 127.0.0.1")


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"])))
def test_quotes_and_backslashes_are_taken_as_they_are(url):
    (line,) = curl._config("url", url).decode("utf-8", "surrogateescape").splitlines() or [""]
    value = line.removeprefix('url = "').removesuffix('"')
    assert value.replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\") == url

"""What is shown of git's words after a transfer."""

from lib.tools import git_transfers
from tests.conftest import Shell

SAID = (
    b"remote: Enumerating objects: 5, done.\n"
    b"remote: Counting objects:  20% (1/5)\rremote: Counting objects: 100% (5/5), done.        \n"
    b"remote: Total 5 (delta 0), reused 0 (delta 0), pack-reused 0\n"
    b"Receiving objects:  50% (1/2)\rReceiving objects: 100% (2/2), done.\r\n"
    b"remote: please renew your token\n"
    b"fatal: early EOF\n"
)


def test_progress_is_not_shown() -> None:
    assert git_transfers.told(SAID) == "remote: please renew your token\nfatal: early EOF"


def test_of_many_words_the_last_are_shown() -> None:
    said = git_transfers.told(b"remote: " + b"x" * 5000 + b"\n" + b"remote: y\n" * 500 + b"fatal: no\n")
    assert len(said.split("\n")) == 200
    assert said.endswith("remote: y\nfatal: no")
    assert max(map(len, git_transfers.told(b"x" * 5000).split("\n"))) == 1000


def test_a_fetch_has_a_limit_of_time_and_asks_for_progress(shell: Shell) -> None:
    git_transfers.fetch("/r", "https://a.test/x", ["main"], {}, timeout=9, stall=3)
    assert shell.ran[0].startswith("git --git-dir=/r fetch --quiet --progress ")
    assert shell.calls[0].timeout == 9

import concurrent.futures
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Dokku, as_nobody

OPTIONS = "no-agent-forwarding,no-user-rc,no-X11-forwarding,no-port-forwarding"
SSHCOMMAND_ERROR = " !     sshcommand returned an error: 1\n"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="keys are root's to change")


class Pair:
    """A key pair of its own; public is the line that is added, fingerprint what ssh-keygen says about it."""

    def __init__(self, path: Path, comment: str = "me@laptop") -> None:
        self.path = path.with_suffix(".pub")
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)]
        subprocess.run(argv, check=True)
        self.public = self.path.read_text().strip()
        said = subprocess.run(
            ["ssh-keygen", "-lf", str(self.path)], check=True, capture_output=True, text=True
        )
        self.fingerprint = said.stdout.split()[1]


@pytest.fixture
def key(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "key")


@pytest.fixture
def other(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "other")


def key_file(dokku: Dokku) -> Path:
    return dokku.root / ".ssh/authorized_keys"


def line(dokku: Dokku, name: str, pair: Pair) -> str:
    program = f"`cat {dokku.root}/.sshcommand`"
    return f'command="FINGERPRINT={pair.fingerprint} NAME=\\"{name}\\" {program}",{OPTIONS} {pair.public}\n'


def test_a_key_is_added_from_a_pipe(dokku: Dokku, key: Pair) -> None:
    """SSH-5"""
    assert dokku("ssh-keys:add", "alice", input=f"{key.public}\n") == (f"{key.fingerprint}\n", "", 0)
    assert key_file(dokku).read_text() == line(dokku, "alice", key)


def test_a_key_is_added_from_a_file(dokku: Dokku, key: Pair) -> None:
    assert dokku("ssh-keys:add", "alice", str(key.path)) == (f"{key.fingerprint}\n", "", 0)
    assert key_file(dokku).read_text() == line(dokku, "alice", key)


def test_a_key_without_a_line_end_is_added(dokku: Dokku, key: Pair, other: Pair) -> None:
    dokku("ssh-keys:add", "alice", input=key.public)
    dokku("ssh-keys:add", "bob", input=other.public)
    assert key_file(dokku).read_text() == line(dokku, "alice", key) + line(dokku, "bob", other)


def test_a_file_without_a_last_line_end_keeps_its_last_key(dokku: Dokku, key: Pair, other: Pair) -> None:
    dokku("ssh-keys:add", "alice", input=key.public)
    key_file(dokku).write_text(key_file(dokku).read_text().rstrip())
    dokku("ssh-keys:add", "bob", input=other.public)
    assert key_file(dokku).read_text() == line(dokku, "alice", key) + line(dokku, "bob", other)


def test_only_the_owner_can_read_the_keys(dokku: Dokku, key: Pair) -> None:
    """SSH-9"""
    dokku("ssh-keys:add", "alice", input=key.public)
    assert stat.S_IMODE(key_file(dokku).stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file(dokku).parent.stat().st_mode) == 0o700


def test_a_file_that_was_open_to_others_is_closed(dokku: Dokku, key: Pair, other: Pair) -> None:
    """SSH-9"""
    dokku("ssh-keys:add", "alice", input=key.public)
    key_file(dokku).chmod(0o755)
    dokku("ssh-keys:add", "bob", input=other.public)
    assert stat.S_IMODE(key_file(dokku).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "name",
    [
        'x"; touch c; "',
        "$(touch c)",
        "`touch c`",
        "a\\",
        "a\nb",
        "a,b",
        "a b",
        "-a",
        ".a",
        "a'b",
        "é",
        "a" * 65,
    ],
)
def test_a_name_that_is_more_than_a_name_is_refused(dokku: Dokku, key: Pair, name: str) -> None:
    """NAME-15, SSH-4"""
    answer = dokku("ssh-keys:add", "--", name, input=key.public)
    assert answer.code == 1
    assert answer.err.startswith(" !     Invalid ssh key name: '")
    assert answer.err.count("\n") == 1
    assert not key_file(dokku).exists()


def test_names_of_the_usual_kinds_are_taken(dokku: Dokku, tmp_path: Path) -> None:
    for number, name in enumerate(["a", "alice@laptop", "CI_2", "a.b-c+d", "a" * 64]):
        pair = Pair(tmp_path / f"key{number}")
        assert dokku("ssh-keys:add", name, input=pair.public).code == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "Empty key was specified"),
        ("\n \n", "Empty key was specified"),
        ("hello", "Key specified in is not a valid ssh public key"),
        ("ssh-rsa AAAA", "Key specified in is not a valid ssh public key"),
        ("ssh-rsa AAAA\0B", "Key specified in is not a valid ssh public key"),
        ("# comment", "Key specified in is not a valid ssh public key"),
    ],
)
def test_what_is_no_key_is_refused(dokku: Dokku, given: str, said: str) -> None:
    """SSH-4"""
    assert dokku("ssh-keys:add", "alice", input=given) == ("", f" !     {said}\n", 1)
    assert not key_file(dokku).exists()


def test_a_key_with_options_of_its_own_is_refused(dokku: Dokku, key: Pair) -> None:
    """SSH-4"""
    answer = dokku("ssh-keys:add", "alice", input=f'command="sh" {key.public}')
    assert answer == ("", " !     Key specified in is not a valid ssh public key\n", 1)


def test_a_comment_with_control_characters_is_refused(dokku: Dokku, key: Pair) -> None:
    """SSH-4"""
    answer = dokku("ssh-keys:add", "alice", input=f"{key.public} \x1b[2J")
    assert answer.err == " !     Key specified in is not a valid ssh public key\n"


def test_a_private_key_is_refused(dokku: Dokku, key: Pair) -> None:
    answer = dokku("ssh-keys:add", "alice", str(key.path.with_suffix("")))
    assert answer.code == 1
    assert "PRIVATE" not in answer.err


def test_several_keys_at_once_are_refused(dokku: Dokku, key: Pair, other: Pair) -> None:
    """SSH-4"""
    answer = dokku("ssh-keys:add", "alice", input=f"{key.public}\n{other.public}\n")
    text = "Too many keys provided, set one per invocation of dokku ssh-keys:add <NAME> <KEY_FILE>"
    assert answer == ("", f" !     {text}\n", 1)


def test_a_terminal_is_not_asked_for_a_key(dokku: Dokku) -> None:
    """IO-11"""
    answer = dokku.pty("ssh-keys:add", "alice", timeout=20)
    assert answer == (" !     No key specified via file or pipe\n", "", 1)


def test_a_missing_file_is_named(dokku: Dokku) -> None:
    answer = dokku("ssh-keys:add", "alice", "/nowhere/key.pub")
    assert answer == ("", " !     Key file does not exist: /nowhere/key.pub\n", 1)


def test_a_name_is_given_once(dokku: Dokku, key: Pair, other: Pair) -> None:
    """SSH-4"""
    dokku("ssh-keys:add", "alice", input=key.public)
    before = key_file(dokku).read_bytes()
    answer = dokku("ssh-keys:add", "alice", input=other.public)
    assert answer == ("", f"Duplicate ssh key name\n{SSHCOMMAND_ERROR}", 1)
    assert key_file(dokku).read_bytes() == before


def test_a_key_is_added_once(dokku: Dokku, key: Pair) -> None:
    """SSH-4"""
    dokku("ssh-keys:add", "alice", input=key.public)
    answer = dokku("ssh-keys:add", "bob", input=key.public)
    assert answer == ("", f"Duplicate ssh public key specified\n{SSHCOMMAND_ERROR}", 1)


def test_the_look_for_duplicates_can_be_turned_off(dokku: Dokku, key: Pair, other: Pair) -> None:
    dokku("ssh-keys:add", "alice", input=key.public)
    twice = dokku(
        "ssh-keys:add", "alice", input=other.public, env={"SSHCOMMAND_CHECK_DUPLICATE_NAME": "false"}
    )
    again = dokku(
        "ssh-keys:add", "bob", input=key.public, env={"SSHCOMMAND_CHECK_DUPLICATE_FINGERPRINT": "false"}
    )
    assert (twice.code, again.code) == (0, 0)
    assert key_file(dokku).read_text().count("\n") == 3


def test_a_line_that_is_no_key_fails_the_add_that_is_done_nevertheless(dokku: Dokku, key: Pair) -> None:
    key_file(dokku).parent.mkdir()
    key_file(dokku).write_text("\nrubbish\n")
    answer = dokku("ssh-keys:add", "alice", input=key.public)
    assert answer.code == 1
    assert answer.err == f" !     {key_file(dokku)} line 2 failed ssh-keygen check.\n"
    assert key_file(dokku).read_text() == "\nrubbish\n" + line(dokku, "alice", key)


def test_many_adds_at_once_lose_no_key(dokku: Dokku, tmp_path: Path) -> None:
    """LCK-7"""
    pairs = [Pair(tmp_path / f"key{number}") for number in range(12)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: dokku("ssh-keys:add", f"n{n}", input=pairs[n].public), range(12)))
    assert {answer.code for answer in answers} == {0}
    lines = key_file(dokku).read_text().splitlines(keepends=True)
    assert sorted(lines) == sorted(line(dokku, f"n{n}", pair) for n, pair in enumerate(pairs))


def test_the_list_shows_fingerprint_name_and_options(dokku: Dokku, key: Pair, other: Pair) -> None:
    dokku("ssh-keys:add", "alice", input=key.public)
    dokku("ssh-keys:add", "bob", input=other.public)
    assert dokku("ssh-keys:list") == (
        f'{key.fingerprint} NAME="alice" SSHCOMMAND_ALLOWED_KEYS="{OPTIONS}"\n'
        f'{other.fingerprint} NAME="bob" SSHCOMMAND_ALLOWED_KEYS="{OPTIONS}"\n',
        "",
        0,
    )


@pytest.mark.parametrize("words", [("--format", "json"), ("--format=json",)])
def test_the_list_as_json_holds_the_keys(dokku: Dokku, key: Pair, words: tuple[str, ...]) -> None:
    dokku("ssh-keys:add", "alice", input=key.public)
    answer = dokku("ssh-keys:list", *words)
    assert (answer.err, answer.code) == ("", 0)
    assert json.loads(answer.out) == [
        {
            "fingerprint": key.fingerprint,
            "name": "alice",
            "SSHCOMMAND_ALLOWED_KEYS": OPTIONS,
            "public-key": key.public,
        }
    ]


def test_the_list_of_one_name_has_its_keys_only(dokku: Dokku, key: Pair, other: Pair) -> None:
    dokku("ssh-keys:add", "alice", input=key.public)
    dokku("ssh-keys:add", "bob", input=other.public)
    assert dokku("ssh-keys:list", "bob").out.split()[0] == other.fingerprint
    assert len(json.loads(dokku("ssh-keys:list", "bob", "--format", "json").out)) == 1


def test_an_unknown_name_is_silence_or_an_empty_array(dokku: Dokku, key: Pair) -> None:
    dokku("ssh-keys:add", "alice", input=key.public)
    assert dokku("ssh-keys:list", "bob") == ("", "", 1)
    assert dokku("ssh-keys:list", "--format", "json", "bob") == ("[]\n", "", 0)


def test_an_unknown_format_is_refused(dokku: Dokku) -> None:
    answer = dokku("ssh-keys:list", "--format", "xml")
    assert answer == ("", " !     Invalid output format specified, supported formats: json, text\n", 1)


@pytest.mark.parametrize("content", [None, "", "\n\n"])
def test_no_keys_at_all_are_told(dokku: Dokku, content: str | None) -> None:
    if content is not None:
        key_file(dokku).parent.mkdir()
        key_file(dokku).write_text(content)
    assert dokku("ssh-keys:list") == ("", " !     No public keys found.\n", 1)


def test_the_list_names_the_first_line_that_is_no_key(dokku: Dokku, key: Pair) -> None:
    dokku("ssh-keys:add", "alice", input=key.public)
    key_file(dokku).write_text(f"\n{key_file(dokku).read_text()}\nrubbish\nmore\n")
    answer = dokku("ssh-keys:list")
    assert answer == ("", f" !     {key_file(dokku)} line 4 failed ssh-keygen check.\n", 1)


def test_lines_of_others_are_listed_and_kept(dokku: Dokku, key: Pair, other: Pair, tmp_path: Path) -> None:
    """Old releases wrote the name without quotes; people add keys by hand."""
    third = Pair(tmp_path / "third", comment="")
    old = (
        f'command="FINGERPRINT={key.fingerprint} NAME=old `cat /x` $SSH_ORIGINAL_COMMAND",no-pty {key.public}'
    )
    foreign = f'from="10.0.0.1,10.0.0.2",no-pty {other.public}'
    text = f"# people\n{old}\n{foreign}\n{third.public}\n"
    key_file(dokku).parent.mkdir()
    key_file(dokku).write_text(text)
    assert dokku("ssh-keys:list").out.splitlines() == [
        f'{key.fingerprint} NAME="old" SSHCOMMAND_ALLOWED_KEYS="no-pty"',
        f'{other.fingerprint} NAME="" SSHCOMMAND_ALLOWED_KEYS="from="10.0.0.1,10.0.0.2",no-pty"',
        f'{third.fingerprint} NAME="" SSHCOMMAND_ALLOWED_KEYS=""',
    ]
    assert dokku("ssh-keys:remove", "old").code == 0
    assert key_file(dokku).read_text() == text.replace(f"{old}\n", "")


def test_a_key_is_removed_by_its_exact_name(dokku: Dokku, key: Pair, other: Pair) -> None:
    """SSH-9"""
    dokku("ssh-keys:add", "abc", input=key.public)
    dokku("ssh-keys:add", "a.c", input=other.public)
    assert dokku("ssh-keys:remove", "a.c") == ("", "", 0)
    assert key_file(dokku).read_text() == line(dokku, "abc", key)


def test_a_key_is_removed_by_its_fingerprint(dokku: Dokku, key: Pair, other: Pair) -> None:
    dokku("ssh-keys:add", "alice", input=key.public)
    dokku("ssh-keys:add", "bob", input=other.public)
    assert dokku("ssh-keys:remove", "--fingerprint", key.fingerprint) == ("", "", 0)
    assert key_file(dokku).read_text() == line(dokku, "bob", other)


def test_removing_a_key_that_is_not_there_is_success(dokku: Dokku, key: Pair) -> None:
    assert dokku("ssh-keys:remove", "nobody").code == 0
    dokku("ssh-keys:add", "alice", input=key.public)
    assert dokku("ssh-keys:remove", "--fingerprint", "SHA256:none").code == 0
    assert key_file(dokku).read_text() == line(dokku, "alice", key)


def test_removing_nothing_in_particular_is_refused(dokku: Dokku) -> None:
    text = "is required to remove a key, ie: dokku ssh-keys:remove"
    assert dokku("ssh-keys:remove") == ("", f" !     A name {text} <name>\n", 1)
    answer = dokku("ssh-keys:remove", "--fingerprint")
    assert answer == ("", f" !     A fingerprint {text} --fingerprint FINGERPRINT\n", 1)


@pytest.mark.parametrize("command", ["ssh-keys:add", "ssh-keys:remove"])
def test_only_root_changes_keys(dokku: Dokku, key: Pair, command: str) -> None:
    """PRV-1"""
    env = {**dokku.environment, "DOKKU_SYSTEM_USER": "nobody"}
    done = as_nobody(command, "alice", env=env, input=key.public)
    assert (done.err, done.code) == (" !     This command must be run as root\n", 1)


def test_keys_belong_to_the_system_user(nobodys: Dokku, key: Pair) -> None:
    assert nobodys("ssh-keys:add", "alice", str(key.path)).code == 0
    assert key_file(nobodys).stat().st_uid == 65534
    assert key_file(nobodys).parent.stat().st_uid == 65534


def test_a_link_of_the_system_user_leads_root_nowhere(nobodys: Dokku, key: Pair, tmp_path: Path) -> None:
    """PRV-4, PRV-5"""
    treasure = tmp_path / "treasure"
    treasure.mkdir(mode=0o700)
    key_file(nobodys).parent.symlink_to(treasure)
    answer = nobodys("ssh-keys:add", "alice", input=key.public)
    assert answer.code == 1
    assert list(treasure.iterdir()) == []


def test_root_does_not_source_what_the_system_user_can_write(nobodys: Dokku, key: Pair) -> None:
    """PRV-5"""
    canary = nobodys.log / "canary"  # where only root can write
    (nobodys.root / "dokkurc").write_text(f"touch {canary} || true\n")
    assert nobodys("ssh-keys:add", "alice", input=key.public).code == 0
    assert not canary.exists()


def test_a_private_key_is_called_that(dokku):
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n"
    answer = dokku("ssh-keys:add", "joe", input=key)
    assert answer.err.startswith(" !     This is a private key: ")
    assert (answer.out, answer.code) == ("", 1)

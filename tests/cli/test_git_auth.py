"""git:auth and its kin as a user meets them: one file that many write, and secrets that stay in it."""

import json
import netrc as pythons
import shutil
import signal
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import TREE, Dokku

HOST = "git.example.com"
SET = f"-----> Setting netrc auth entry for host {HOST}\n"
REMOVED = f"-----> Removing netrc auth entry for host {HOST}\n"
NO_PASSWORD = " !     Missing password for netrc auth entry\n"
FOREIGN = "# mine\nmachine other login a password b\nmacdef init\ncd /pub\n\ndefault login c password d\n"
SECRET = "-s3cret_7f3a "


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def entry(user: str, password: str) -> str:
    return f"machine {HOST}\n  login {user}\n  password {password}\n"


def test_a_password_is_set_changed_and_taken_away(dokku: Dokku) -> None:
    """NET-11"""
    file = dokku.root / ".netrc"
    assert dokku("git:auth", HOST, "me", "one") == (SET, "", 0)
    assert (file.read_text(), mode(file)) == (entry("me", "one"), 0o600)
    file.chmod(0o644)
    assert dokku("git:auth", HOST, "you", "two") == (SET, "", 0)
    assert (file.read_text(), mode(file)) == (entry("you", "two"), 0o600)
    file.chmod(0o644)
    assert dokku("git:auth", HOST) == (REMOVED, "", 0)
    assert dokku("git:auth", HOST) == (REMOVED, "", 0)
    assert (file.read_text(), mode(file)) == ("", 0o600)


def test_what_others_wrote_stays(dokku: Dokku) -> None:
    """NET-7"""
    (dokku.root / ".netrc").write_text(FOREIGN)
    assert dokku("git:auth", HOST, "me", "a b").code == 0
    text = (dokku.root / ".netrc").read_text()
    assert text == FOREIGN.replace("default", entry("me", '"a b"') + "default")
    assert pythons.netrc(str(dokku.root / ".netrc")).hosts[HOST] == ("me", "", "a b")
    assert dokku("git:auth", HOST).code == 0
    assert (dokku.root / ".netrc").read_text() == FOREIGN


@pytest.mark.parametrize("password", ["-x", "-p5", "--", "--no-such-flag", "-", "a=b", "--x=y"])
def test_a_password_may_look_like_a_flag(dokku: Dokku, password: str) -> None:
    assert dokku("git:auth", HOST, "me", password) == (SET, "", 0)
    assert (dokku.root / ".netrc").read_text() == entry("me", password)
    assert dokku("git:auth-status", HOST, "me", password) == ("", "", 0)


@pytest.mark.parametrize("data", ["secret\n", "secret", "secret\r\nmore\n", "--quiet\n"])
def test_a_password_comes_through_stdin(dokku: Dokku, data: str) -> None:
    """NET-8"""
    assert dokku("git:auth", HOST, "me", input=data) == (SET, "", 0)
    assert (dokku.root / ".netrc").read_text() == entry("me", data.split()[0])
    assert dokku("git:auth-status", HOST, "me", input=data) == ("", "", 0)
    assert dokku("git:auth-status", HOST, "me", input="other") == ("", "", 1)


def test_a_password_comes_over_ssh_in_quotes(dokku: Dokku) -> None:
    assert dokku.ssh(f"git:auth {HOST} me 'a  \"b'") == (SET, "", 0)
    assert dokku("git:auth-status", HOST, "me", 'a  "b').code == 0


@pytest.mark.parametrize(
    ("words", "data", "text"),
    [
        ((), None, " !     Please supply a git host\n"),
        ((HOST, "me"), None, NO_PASSWORD),
        ((HOST, "me"), "", NO_PASSWORD),
        ((HOST, "me"), "\nsecret\n", NO_PASSWORD),
        ((HOST, "me", ""), "secret\n", NO_PASSWORD),
        (
            (HOST, "me"),
            "se\0cret\n",
            " !     Invalid password for netrc auth entry: it has a line break or a NUL\n",
        ),
        ((HOST, "a", "b", "c"), None, " !     Too many words: a host, a user and a password were expected\n"),
        (("-f/etc/shadow",), None, " !     Invalid git host: -f/etc/shadow\n"),
        (("h\nmachine x", "a", "b"), None, " !     Invalid git host: h\\x0amachine x\n"),
    ],
)
def test_a_bad_call_is_refused_and_changes_nothing(
    dokku: Dokku, words: tuple[str, ...], data: str | None, text: str
) -> None:
    """NET-6, NET-8"""
    (dokku.root / ".netrc").write_text(FOREIGN)
    for command in ("git:auth", "git:auth-status"):
        assert dokku(command, *words, input=data) == ("", text, 1)
    assert (dokku.root / ".netrc").read_text() == FOREIGN


def test_a_terminal_is_not_asked_for_a_password(dokku: Dokku) -> None:
    """IO-11, NET-8"""
    said = dokku.pty("git:auth", HOST, "me", input="secret\n")
    assert said.code == 1
    assert NO_PASSWORD in said.out
    assert not (dokku.root / ".netrc").exists()


def test_the_status_is_silent(dokku: Dokku) -> None:
    """NET-10"""
    assert dokku("git:auth-status", HOST) == ("", "", 0)
    dokku("git:auth", HOST, "me", "secret")
    before = (dokku.root / ".netrc").stat()
    assert dokku("git:auth-status", HOST) == ("", "", 1)
    assert dokku("git:auth-status", HOST, "me", "secret") == ("", "", 0)
    assert dokku("git:auth-status", HOST, "me", "secre") == ("", "", 1)
    assert (dokku.root / ".netrc").stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("words", [(HOST, "me", "secret"), (HOST,)])
def test_a_link_and_a_directory_are_named_and_left_alone(dokku: Dokku, words: tuple[str, ...]) -> None:
    """NET-13"""
    file, target = dokku.root / ".netrc", dokku.root / "elsewhere"
    target.write_text("x")
    refusal = f" !     {file} is not a regular file\n"
    file.symlink_to(target)
    assert dokku("git:auth", *words)[1:] == (refusal, 1)
    assert (target.read_text(), file.is_symlink()) == ("x", True)
    file.unlink()
    file.mkdir()
    assert dokku("git:auth", *words)[1:] == (refusal, 1)
    assert list(file.iterdir()) == []


# --- many at once, killed, watched ----------------------------------------------------------------------


def test_of_fifty_calls_at_once_none_is_lost(dokku: Dokku) -> None:
    """NET-3"""

    def call(number: int) -> "subprocess.Popen[bytes]":
        words = ("git:auth", f"h{number}", f"u{number}", f"p{number}")
        return subprocess.Popen(
            [str(TREE / "bin/dokku"), *words], env=dokku.environment, stdout=subprocess.DEVNULL
        )

    assert [process.wait(timeout=120) for process in [call(number) for number in range(50)]] == [0] * 50
    hosts = pythons.netrc(str(dokku.root / ".netrc")).hosts
    assert hosts == {f"h{number}": (f"u{number}", "", f"p{number}") for number in range(50)}
    assert (dokku.root / ".netrc").read_text().count("machine ") == 50


def traced(
    dokku: Dokku, *flags: str, words: tuple[str, ...], data: str
) -> "subprocess.CompletedProcess[bytes]":
    """A call under strace, its notes in the log directory."""
    if shutil.which("strace") is None:
        pytest.skip("there is no strace")
    program = [str(TREE / "bin/dokku"), *words]
    strace = ["strace", "-f", "-v", "-s", "100000", "-o", str(dokku.log / "strace"), *flags]
    return subprocess.run(
        [*strace, *program], env=dokku.environment, input=data.encode(), capture_output=True, check=False
    )


@pytest.mark.parametrize("call", ["rename", "fsync", "fchmod"])
def test_a_kill_during_the_write_leaves_the_file_as_it_was(dokku: Dokku, call: str) -> None:
    """NET-4"""
    (dokku.root / ".netrc").write_text(FOREIGN)
    flags = ("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when=1")
    done = traced(dokku, *flags, words=("git:auth", HOST, "me"), data=SECRET)
    assert done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), done.stderr
    text = (dokku.root / ".netrc").read_text()
    assert text in (FOREIGN, FOREIGN.replace("default", entry("me", f'"{SECRET}"') + "default"))
    assert text == FOREIGN or call == "rename"  # the signal comes when the call is over
    assert {mode(path) for path in dokku.root.glob(".*netrc.*")} <= {0o600}
    assert dokku("git:auth", HOST, "me", "secret") == (SET, "", 0)


def test_the_file_is_never_open_to_others_nor_cut_off(dokku: Dokku) -> None:
    """NET-1: what holds the password is made with its mode, and takes its place whole."""
    (dokku.root / ".netrc").write_text(FOREIGN)
    flags = ("-e", "trace=open,openat,creat,truncate,ftruncate,rename,renameat,renameat2")
    assert traced(dokku, *flags, words=("git:auth", HOST, "me"), data=SECRET).returncode == 0
    lines = (dokku.log / "strace").read_text().splitlines()
    made = [line for line in lines if "netrc" in line and str(dokku.root) in line and "O_CREAT" in line]
    assert len(made) == 1
    assert "O_EXCL" in made[0]
    assert ", 0600) =" in made[0]
    opened = [line for line in lines if f'{dokku.root}/.netrc"' in line and "open" in line]
    assert opened
    assert not any("O_WRONLY" in line or "O_RDWR" in line or "O_TRUNC" in line for line in opened)


def test_a_password_on_stdin_is_in_no_words_environment_or_log(dokku: Dokku) -> None:
    """NET-9: the plugins that guard a command are programs, too."""
    dokku.plugin("guard", user_auth='#!/bin/sh\n/bin/true "$@"\n')
    dokku.environment["DOKKU_TRACE"] = "1"
    flags = ("-e", "trace=execve,execveat")
    for words in (("git:auth", HOST, "me"), ("git:auth-status", HOST, "me"), ("git:auth", HOST, "m\x01", "")):
        done = traced(dokku, *flags, words=words, data=SECRET)
        assert SECRET.strip().encode() not in done.stdout + done.stderr
        notes = (dokku.log / "strace").read_text()
        assert "/bin/true" in notes
        assert SECRET.strip() not in notes
    holders = [
        path
        for top in (dokku.root, dokku.lib, dokku.log)
        for path in top.rglob("*")
        if path.is_file() and SECRET.strip().encode() in path.read_bytes()
    ]
    assert holders == [dokku.root / ".netrc"]


def test_nobody_sees_a_password_among_the_processes(dokku: Dokku) -> None:
    """NET-9"""
    over = threading.Event()
    seen = []

    def look() -> None:
        while not over.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        seen.append(SECRET.strip().encode() in (process / name).read_bytes())
                    except OSError:  # it has ended
                        continue

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        assert dokku("git:auth", HOST, "me", input=SECRET) == (SET, "", 0)
    finally:
        over.set()
        watcher.join()
    assert seen
    assert not any(seen)


# --- hosts and keys -------------------------------------------------------------------------------------


def test_a_host_is_added_once_per_call(dokku: Dokku) -> None:
    key = "AAAAC3NzaC1lZDI1NTE5AAAAIB5z7S0ePi0MYOI2VZoywDmEFPanJy8Y0YZVfyyUGhEa"
    only = 'case "$*" in *rsa*) exit 1;; esac'
    script = f'#!/bin/sh\necho "# x:22 SSH-2.0-x" >&2\n{only}\necho "{HOST} ssh-ed25519 {key}"\n'
    dokku.program("ssh-keyscan", script)
    fingerprint = "SHA256:YXErHIcxE5J5gmdqqUqWNchxGnbqqt39v9BPO5yG7ec"
    for number in (1, 2):
        said = dokku("git:allow-host", HOST)
        assert said == (f"-----> {HOST} added to known hosts\n       {fingerprint}\n", "", 0)
        assert (dokku.root / ".ssh/known_hosts").read_text() == f"{HOST} ssh-ed25519 {key}\n" * number
    assert mode(dokku.root / ".ssh/known_hosts") == 0o600
    assert mode(dokku.root / ".ssh") == 0o700


@pytest.mark.parametrize("word", ["-f/etc/shadow", "--help-me", "a b", "a;id", "h\nx ssh-rsa AAAA"])
def test_what_is_no_host_starts_no_scan(dokku: Dokku, word: str) -> None:
    """RUN-2, NAME-13"""
    calls = dokku.recorded("ssh-keyscan")
    said = dokku("git:allow-host", word)
    assert (said.out, said.code) == ("", 1)
    assert said.err.startswith(" !     Invalid git host: ")
    assert calls() == []
    assert dokku("git:allow-host") == ("", " !     Please supply a git host\n", 1)
    assert not (dokku.root / ".ssh").exists()


def test_a_host_that_does_not_answer_is_not_added(dokku: Dokku) -> None:
    assert dokku("git:allow-host", "127.0.0.1:1") == (
        *("", " !     Unable to get an ssh host key from 127.0.0.1:1\n", 1),
    )
    assert not (dokku.root / ".ssh").exists()


def test_a_deploy_key_is_made_once_and_shown(dokku: Dokku) -> None:
    said = dokku("git:public-key")
    assert (said.out, said.code) == ("", 1)
    assert said.err == (
        " !     There is no deploy key associated with the dokku user.\n"
        " !     Generate an ssh key with the following command (do not specify a password):\n"
        " !       ssh-keygen -t ed25519 -C 'example@example.com'\n"
        " !     As an alternative, configure the netrc authentication via the git:auth command\n"
    )
    made = dokku("git:generate-deploy-key")
    assert (made.err, made.code) == ("", 0)
    assert "\nThe key fingerprint is:\nSHA256:" in made.out
    key = (dokku.root / ".ssh/id_ed25519.pub").read_text()
    assert dokku("git:generate-deploy-key") == (" !     A deploy key already exists for this host\n", "", 0)
    assert dokku("git:public-key") == (key, "", 0)
    assert mode(dokku.root / ".ssh/id_ed25519") == 0o600


def test_of_keys_made_at_once_there_is_one(dokku: Dokku) -> None:
    program = [str(TREE / "bin/dokku"), "git:generate-deploy-key"]
    calls = [
        subprocess.Popen(program, env=dokku.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    said = [call.communicate(timeout=60)[0] for call in calls]
    assert [call.returncode for call in calls] == [0] * 4
    assert sorted("fingerprint" in text.decode() for text in said) == [False] * 3 + [True]
    told = next(text for text in said if b"fingerprint" in text).decode()
    public = subprocess.run(
        ["ssh-keygen", "-lf", str(dokku.root / ".ssh/id_ed25519.pub")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert public.stdout.split()[1] in told


# --- git:report, git:set, git:status, git:unlock --------------------------------------------------------


def test_the_report_on_the_host_has_its_own_values(dokku: Dokku) -> None:
    assert dokku("git:set", "--global", "fetch-timeout", "5") == (
        "=====> Setting fetch-timeout to 5\n",
        "",
        0,
    )
    said = dokku("git:report", "--global")
    assert (said.err, said.code) == ("", 0)
    assert said.out.startswith("=====> --global git information\n")
    assert "       Git global fetch timeout:      5  " in said.out
    assert dokku("git:report", "--global", "--git-global-retry-timeout") == ("60\n", "", 0)
    told = json.loads(dokku("git:report", "--global", "--format", "json").out)
    assert told["git-computed-deploy-branch"] == told["global-deploy-branch"] == "master"


def test_an_app_reports_later_keys_as_json_and_by_flag(dokku: Dokku) -> None:
    dokku.make_app("blog")
    dokku("git:set", "--global", "keep-git-dir", "true")
    assert dokku("git:set", "blog", "fetch-timeout", "5") == (
        *("", " !     Property can only be specified globally\n", 1),
    )
    told = json.loads(dokku("git:report", "blog", "--format=json").out)
    kinds = [told[f"{kind}keep-git-dir"] for kind in ("", "git-", "global-", "git-computed-")]
    assert kinds == ["false", "false", "true", "true"]
    assert told["git-archive-max-size"] == told["git-source-image"] == told["git-sync-remote"] == ""
    assert told["git-computed-archive-max-size"] == "1073741824"
    assert dokku("git:report", "blog", "--git-computed-retry-timeout") == ("60\n", "", 0)
    assert "timeout" not in dokku("git:report", "blog").out


def test_the_status_is_that_of_git(dokku: Dokku) -> None:
    dokku.make_app("blog")
    said = dokku("git:status", "blog")
    assert (said.out, said.code) == ("", 128)
    assert "fatal: this operation must be run in a work tree" in said.err
    assert dokku("git:status", "nope").code == 20


def test_an_app_is_unlocked_whether_it_was_locked_or_not(dokku: Dokku) -> None:
    dokku.make_app("blog")
    old = dokku.lib / "data/git/blog"
    for words in (("git:unlock", "blog"), ("git:unlock", "--force", "blog")):
        old.mkdir(parents=True, exist_ok=True)
        (old / "HEAD").write_text("x")
        assert dokku(*words) == ("", "", 0)
        assert not old.exists()
        assert dokku(*words) == ("", "", 0)
    assert dokku("git:unlock", "nope").code == 20

"""No secret stands among the arguments of a program on the server, where all local users read it. SEC-1."""

import contextlib
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.conftest import Instance, wait_for

TOKEN = "t0ken-Of-Ours"
GUARD = '#!/bin/sh\nprintf "%s|" "$@" >>"$DOKKU_ROOT/guarded"\n'

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


@contextlib.contextmanager
def started_by(process: subprocess.Popen[bytes], notes: Path) -> Iterator[Callable[[], str]]:
    """What a process and all below it start in the block, as the kernel sees it: programs and arguments."""
    words = ["strace", "-f", "-qq", "-e", "trace=execve", "-s", "100000", "-o", str(notes)]
    tracer = subprocess.Popen([*words, "-p", str(process.pid)], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: re.search(r"TracerPid:\s*[1-9]", _status(process.pid)) is not None, 20)
        yield notes.read_text
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(timeout=20)


def _status(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()


@pytest.fixture(scope="module")
def app(instance: Instance) -> str:
    name = instance.name("secretive")
    pushed = instance.push(instance.new_repo(instance.sample("secretive")), name)
    assert pushed.code == 0, pushed
    return name


@pytest.fixture
def guard(instance: Instance) -> Iterator[Path]:
    """A plugin that is asked about every command; what it was shown."""
    plugin = instance.lib / "plugins/enabled/guard"
    plugin.mkdir(parents=True)
    (plugin / "user-auth").write_text(GUARD)
    (plugin / "user-auth").chmod(0o755)
    yield instance.root / "guarded"
    shutil.rmtree(plugin)
    (instance.root / "guarded").unlink(missing_ok=True)


COMMANDS = [
    f"config:set --no-restart APP KEY={TOKEN}",
    f"config:set APP OTHER={TOKEN}",
    f"git:auth git.example.com me {TOKEN}",
    f"git:auth-status git.example.com me {TOKEN}",
    f"run --env KEY={TOKEN} APP true",
    f"git:sync APP https://me:{TOKEN}@127.0.0.1:1/x main",
    f"git:from-archive APP https://me:{TOKEN}@127.0.0.1:1/x.tar",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_over_ssh_shows_no_local_user_its_secret(
    instance: Instance, app: str, command: str, tmp_path: Path
) -> None:
    """SEC-1: neither our own arguments nor those of anything we start."""
    assert instance.sshd is not None
    with started_by(instance.sshd, tmp_path / "started") as seen:
        instance.ssh(command.replace("APP", app))
        said = seen()
    assert "bin/dokku" in said
    assert TOKEN not in said


@pytest.mark.parametrize("command", [COMMANDS[0], COMMANDS[2], COMMANDS[5]])
def test_a_plugin_that_guards_commands_is_not_shown_values(
    instance: Instance, app: str, guard: Path, command: str, tmp_path: Path
) -> None:
    """SEC-1, SSH-7"""
    assert instance.sshd is not None
    with started_by(instance.sshd, tmp_path / "started") as seen:
        instance.ssh(command.replace("APP", app))
        said = seen()
    assert "user-auth" in said
    assert TOKEN not in said
    assert "*****" in guard.read_text()


def test_the_words_reach_no_program_through_the_environment(
    instance: Instance, app: str, guard: Path
) -> None:
    """What the client sent is ours alone: hooks, git and docker do not inherit it."""
    (guard.parent / "guarded").touch()
    hook = instance.lib / "plugins/enabled/guard/user-auth"
    hook.write_text('#!/bin/sh\nenv >>"$DOKKU_ROOT/guarded"\n')
    assert instance.ssh(f"config:set --no-restart {app} KEY={TOKEN}").code == 0
    assert TOKEN not in guard.read_text()
    assert "SSH_NAME=tester" in guard.read_text()


def test_a_key_of_an_older_release_still_works(instance: Instance) -> None:
    keys = instance.root / ".ssh/authorized_keys"
    before = keys.read_text()
    program = f"`cat {instance.root}/.sshcommand`"
    assert f'{program}"' in before
    keys.write_text(before.replace(f'{program}"', f'{program} $SSH_ORIGINAL_COMMAND"'))
    try:
        assert instance.ssh("version").code == 0
        assert instance.ssh("config:get --global DOKKU_PROXY_PORT").out == f"{instance.port}\n"
        assert "    apps " in instance.ssh(input="").out
    finally:
        keys.write_text(before)


def test_a_value_with_blanks_and_quotes_arrives_whole(instance: Instance, app: str) -> None:
    assert instance.ssh(f"config:set --no-restart {app} 'ODD=a  \"b\" $HOME *'").code == 0
    assert instance.ssh(f"config:get {app} ODD").out == 'a  "b" $HOME *\n'

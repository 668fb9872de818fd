"""What a key that was let in can do over a real sshd, and what it can't."""

import socket
import subprocess

import pytest

from tests.system.conftest import Instance, wait_for


def test_a_command_over_ssh_is_the_command(instance: Instance) -> None:
    assert instance.ssh("version") == instance.dokku("version")


def test_without_a_command_there_is_no_shell(instance: Instance) -> None:
    """SSH-5"""
    answer = instance.ssh(input="id -u\n")
    assert answer.code == 0
    assert "    apps " in answer.out
    assert answer.out == instance.dokku("help").out


@pytest.mark.parametrize("options", [("-t",), ("-tt",), ("-A",), ("-X",)])
def test_asking_for_more_gets_the_command_only(instance: Instance, options: tuple[str, ...]) -> None:
    """SSH-5"""
    answer = instance.ssh("version", options=options)
    assert "dokku version 0.24." in answer.out
    assert answer.code == 0


@pytest.mark.parametrize(
    "words", [("sh",), ("bash", "-i"), ("scp", "-t", "/tmp/x"), ("rsync", "--server", "."), ("ls",)]
)
def test_other_programs_are_not_dokku_commands(instance: Instance, words: tuple[str, ...]) -> None:
    """GIT-12, SSH-5"""
    answer = instance.ssh(*words)
    assert answer.code == 1
    assert f" !     `{' '.join(words)}` is not a dokku command." in answer.err


def test_sftp_gets_nothing(instance: Instance) -> None:
    """GIT-12, SSH-5"""
    answer = instance.ssh("sftp", options=("-s",))
    assert (answer.out, answer.code) == ("", 1)  # sshd drops what a subsystem says on stderr


def test_no_port_is_forwarded(instance: Instance) -> None:
    """SSH-5: -L opens a port at the client; what connects there reaches nothing behind the server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tunnel = f"127.0.0.1:{port}:127.0.0.1:{instance.ssh_port}"  # sshd would greet
    process = subprocess.Popen(
        [*instance.ssh_argv(), "-N", "-L", tunnel, "root@127.0.0.1"],
        stdin=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: _answer_at(port) is not None, 15)
        assert _answer_at(port) == b""
    finally:
        process.kill()  # asked kindly, ssh waits for the channel that nobody closes
        process.wait(timeout=30)


def test_the_client_can_not_choose_who_it_is(instance: Instance) -> None:
    """SSH-6"""
    place = instance.lib / "plugins/enabled/witness"
    place.mkdir(parents=True)
    script = place / "user-auth"
    script.write_text(f'#!/bin/sh\necho "$*|$NAME|$DOKKU_ROOT" >>{instance.place}/witnessed\n')
    script.chmod(0o755)
    try:
        options = ("-o", "SendEnv=NAME DOKKU_ROOT SSH_NAME")
        answer = instance.ssh("NAME=admin", "version", options=options)
        assert answer.code == 1
        instance.ssh("version", options=options)
    finally:
        script.unlink()
    lines = (instance.place / "witnessed").read_text().splitlines()
    assert lines == [
        f"root tester NAME=admin version|tester|{instance.root}",
        f"root tester version|tester|{instance.root}",
    ]


def test_a_key_that_was_removed_gets_no_answer(instance: Instance) -> None:
    assert instance.add_key("guest", "guest_key").code == 0
    argv = [*instance.ssh_argv("guest_key"), "root@127.0.0.1", "version"]
    assert subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0
    assert instance.dokku("ssh-keys:remove", "guest").code == 0
    assert subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True).returncode == 255
    assert instance.ssh("version").code == 0


def test_many_callers_at_once_are_all_answered(instance: Instance) -> None:
    """SSH-10"""
    argv = [*instance.ssh_argv(), "root@127.0.0.1", "version"]
    calls = [
        subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(40)
    ]
    answers = [call.communicate()[0] for call in calls]
    assert {call.returncode for call in calls} == {0}
    assert len(set(answers)) == 1


def _answer_at(port: int) -> bytes | None:
    """The greeting of a server; nothing if the connection is closed at once, None if there is no server."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            return connection.recv(100)
    except ConnectionResetError:
        return b""
    except ConnectionRefusedError:
        return None

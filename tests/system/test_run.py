"""run and enter on real docker, as an administrator and over ssh, with and without a terminal."""

import json
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.conftest import PATH, Instance, Result, wait_for
from tests.terminals import Terminal

VALUE = 'it\'s "x" $(touch /tmp/made) `touch /tmp/made` \\ $HOME *\nsecond line'
WORDS = [
    "a  b",
    "$(touch /tmp/made)",
    "`id`",
    "it's",
    '"',
    "\\",
    "*",
    "$HOME",
    "two\nlines",
    "",
    "--",
    "--quiet",
]
PROCFILE = "web: /app/serve\nworker: sleep 1000\ngreet: echo hello $PORT\n"


@pytest.fixture(scope="module")
def app(instance: Instance) -> Iterator[str]:
    """A deployed app with a web process."""
    name = instance.name("run")
    assert instance.dokku("apps:create", name).code == 0
    pushed = instance.push(instance.new_repo({**instance.sample(), "Procfile": PROCFILE}), name)
    assert pushed.code == 0, pushed
    yield name
    assert instance.dokku("apps:destroy", "--force", name).code == 0


@pytest.fixture(autouse=True)
def _nothing_is_left(instance: Instance, app: str) -> Iterator[None]:
    yield
    wait_for(lambda: not _one_offs(instance, app), 30)


def _one_offs(instance: Instance, app: str) -> list[str]:
    return instance.containers(app, "label=com.dokku.container-type=run")


def _terminal(instance: Instance, *words: str, size: tuple[int, int] = (24, 80)) -> Terminal:
    argv = [str(instance.place / "bin/dokku"), *words]
    return Terminal(argv, {"PATH": PATH, "HOME": "/root", "USER": "root", "TERM": "xterm"}, size)


def _ssh_terminal(instance: Instance, *words: str) -> Terminal:
    argv = [*instance.ssh_argv(), "-tt", "root@127.0.0.1", *words]
    return Terminal(argv, {"PATH": PATH, "HOME": "/root", "TERM": "xterm"})


def test_words_reach_the_program_as_they_were_given(instance: Instance, app: str) -> None:
    """RUN-1, SSH-2"""
    done = instance.dokku("run", app, "sh", "-c", 'printf "%s\\0" "$@"', "sh", *WORDS)
    assert (done.code, done.out.split("\0")[:-1], done.err) == (0, WORDS, "")
    assert not Path("/tmp/made").exists()


def test_flags_among_the_words_mean_nothing_to_us(instance: Instance, app: str) -> None:
    """RUN-2"""
    words = ["ls", "--detach", "--app", "none", "--rm", "--label=a=b", "-e", "X=1", "--trace"]
    done = instance.dokku("run", app, "echo", *words)
    assert (done.code, done.out, done.err) == (0, " ".join(words) + "\n", "")


@pytest.mark.parametrize("status", [0, 3, 137])
def test_the_status_of_the_program_is_ours(instance: Instance, app: str, status: int) -> None:
    assert instance.dokku("run", app, "sh", "-c", f"exit {status}").code == status


def test_killed_programs_and_absent_ones_have_the_statuses_of_a_shell(instance: Instance, app: str) -> None:
    """DKR-11"""
    assert instance.dokku("run", app, "sh", "-c", "kill -9 $$").code == 137
    absent = instance.dokku("run", app, "nosuch")
    assert (absent.code, absent.out) == (127, "")
    assert "nosuch" in absent.err


def test_bytes_pass_through_and_stdout_is_not_stderr(instance: Instance, app: str) -> None:
    data = bytes(range(256)) * 1000
    path = instance.place / "bytes"
    path.write_bytes(data)
    argv = [str(instance.place / "bin/dokku"), "run", app, "sh", "-c", "cat; echo 'to stderr' >&2"]
    with path.open("rb") as source:
        done = subprocess.run(argv, stdin=source, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"to stderr\n")
    assert done.stdout == data


def test_variables_arrive_byte_for_byte_and_in_no_argument_list(instance: Instance, app: str) -> None:
    """NAME-6, DKR-2"""
    assert instance.dokku("config:set", "--no-restart", app, f"TOKEN={VALUE}").code == 0
    docker = _recorded_docker(instance)
    try:
        given = instance.dokku("run", "--env", "OTHER=a b", app, "sh", "-c", 'echo "$OTHER"')
        printed = instance.dokku("run", app, "sh", "-c", 'printf "%s" "$TOKEN"')
    finally:
        docker.unlink()
        instance.set_environment()
    assert (given.code, given.out) == (0, "a b\n")
    assert (printed.code, printed.out) == (0, VALUE)
    called = (instance.place / "docker.calls").read_text()
    assert all(named in called for named in ("--env=TOKEN", "--env=OTHER"))
    assert not any(value in called for value in ("it's", "a b"))
    assert instance.dokku("config:unset", "--no-restart", app, "TOKEN").code == 0
    assert not Path("/tmp/made").exists()


def _recorded_docker(instance: Instance) -> Path:
    """A docker that writes its words down before it is the real one."""
    program = instance.place / "recorded-docker"
    notes = shlex.quote(str(instance.place / "docker.calls"))
    program.write_text(f'#!/bin/sh\nprintf \'%s\\n\' "$*" >>{notes}\nexec docker "$@"\n')
    program.chmod(0o755)
    instance.set_environment(DOCKER_BIN=str(program))
    return program


def test_given_variables_count_for_this_run(instance: Instance, app: str) -> None:
    script = 'echo "$ONE-$TWO-$DYNO"'
    done = instance.dokku("run", "-e", "ONE=a b", "--env=TWO=c=d", app, "sh", "-c", script)
    assert done.code == 0, done
    assert re.fullmatch(r"a b-c=d-run\.\d+\n", done.out)


def test_a_process_type_of_the_procfile_is_its_command(instance: Instance, app: str) -> None:
    done = instance.dokku("run", app, "greet", "hi dokku")
    assert (done.code, done.out.splitlines()[-1]) == (0, "hello 5000 hi dokku")
    assert "Found 'greet' in Procfile, running that command" in done.out
    assert instance.dokku("--quiet", "run", app, "greet").out == "hello 5000\n"


def test_options_limits_and_mounts_count(instance: Instance, app: str) -> None:
    shelf = instance.place / "shelf"
    shelf.mkdir()
    (shelf / "book").write_text("read me\n")
    for words in (
        ["storage:mount", app, f"{shelf}:/shelf"],
        ["resource:limit", "--process-type", "run", "--memory", "64m", app],
    ):
        assert instance.dokku(*words).code == 0
    try:
        name = instance.dokku("run:detached", app, "sh", "-c", "cat /shelf/book; sleep 1000").out.strip()
        known = json.loads(instance.docker("container", "inspect", name))[0]
        assert known["HostConfig"]["Memory"] == 64 * 1024 * 1024
        assert known["HostConfig"]["AutoRemove"]
        assert known["Config"]["Labels"]["com.dokku.container-type"] == "run"
        wait_for(lambda: "read me" in instance.docker("logs", name), 30)
    finally:
        assert instance.dokku("run:stop", app).code == 0
        assert instance.dokku("storage:unmount", app, f"{shelf}:/shelf").code == 0
        assert instance.dokku("resource:limit-clear", app).code == 0


def test_detached_ones_are_listed_read_and_stopped(instance: Instance, app: str) -> None:
    script = "echo one; echo two >&2; sleep 1000"
    name = instance.dokku("run:detached", app, "sh", "-c", script).out.strip()
    id_ = instance.dokku("--label=com.example.k=v", "--detach", "run", app, "sleep", "1000").out.strip()
    assert re.fullmatch(rf"{app}\.run\.\d+", name)
    assert re.fullmatch(r"[0-9a-f]{64}", id_)
    label = '{{index .Config.Labels "com.example.k"}}'
    assert instance.docker("container", "inspect", f"--format={label}", id_) == "v\n"
    listed = json.loads(instance.dokku("run:list", app, "--format", "json").out)
    assert len(listed) == 2
    assert name in [one["name"] for one in listed]
    assert [one["command"] for one in listed] == [shlex.join(["sh", "-c", script]), "sleep 1000"]
    assert {one["state"] for one in listed} == {"running"}
    assert name in instance.dokku("run:list", app).out
    said = instance.dokku("run:logs", "--container", name, "--quiet")
    assert sorted((said.out + said.err).split()) == ["one", "two"]
    assert instance.dokku("run:stop", "--container", name).code == 0
    wait_for(lambda: len(_one_offs(instance, app)) == 1, 30)
    assert instance.dokku("run:stop", app).code == 0


def test_one_of_an_id_refuses_or_gives_way_to_the_next(instance: Instance, app: str) -> None:
    def run(command: str, policy: str, *words: str) -> Result:
        return instance.dokku(command, "--cron-id", "a/b", "--concurrency-policy", policy, app, *words)

    first = run("run:detached", "forbid", "sleep", "1000").out.strip()
    refused = run("run", "forbid", "echo", "never")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == f" !     Cron task a/b of {app} is running, and its concurrency policy is forbid\n"
    assert run("run", "allow", "echo", "beside").out == "beside\n"
    second = run("run:detached", "replace", "sleep", "1000").out.strip()
    running = instance.dokku("run:list", app).out
    assert (first in running, second in running) == (False, True)
    assert instance.dokku("run:stop", app).code == 0


def test_time_runs_out_for_a_program_that_somebody_waits_for(instance: Instance, app: str) -> None:
    done = instance.dokku("run", "--ttl-seconds", "1", app, "sleep", "1000")
    assert done.code == 143
    assert "after 1 seconds" in done.err


def test_time_runs_out_for_a_program_that_nobody_waits_for(instance: Instance, app: str) -> None:
    assert instance.dokku("run:detached", "--ttl-seconds", "1", app, "sleep", "1000").code == 0
    assert instance.dokku("run:detached", "--ttl-seconds", "1000", app, "sleep", "1001").code == 0

    def is_retired() -> bool:
        assert instance.dokku("ps:retire").code == 0
        return len(_one_offs(instance, app)) == 1

    wait_for(is_retired, 60)
    assert instance.dokku("run:list", app).out.count("sleep 1001") == 1
    assert instance.dokku("run:stop", app).code == 0


def test_a_terminal_is_a_terminal_and_follows_its_size(instance: Instance, app: str) -> None:
    with _terminal(instance, "run", app, "sh", size=(31, 101)) as terminal:
        terminal.type("until test -t 0 && test -t 1 && stty size | grep '31 101'; do sleep 0.1; done\n")
        terminal.wait_for("\n31 101\n")
        terminal.resize(40, 120)
        terminal.type("while [ $(stty size | tr ' ' x) != 40x120 ]; do sleep 0.1; done; echo re''sized\n")
        terminal.wait_for("resized")
        terminal.type("exit 7\n")
        assert terminal.end() == 7


def test_ctrl_c_ends_the_program(instance: Instance, app: str) -> None:
    with _terminal(instance, "run", app, "sh", "-c", "echo ready; exec sleep 1000") as terminal:
        terminal.wait_for("ready")
        terminal.type("\x03")
        assert terminal.end() == 130


def test_ctrl_p_reaches_the_program(instance: Instance, app: str) -> None:
    script = "stty raw -echo; echo ready; dd bs=1 count=1 2>/dev/null | od -An -tx1"
    with _terminal(instance, "run", app, "sh", "-c", script) as terminal:
        terminal.wait_for("ready")
        terminal.type("\x10")
        terminal.wait_for("10")
        assert terminal.end() == 0


def test_no_tty_is_no_terminal_at_one_either(instance: Instance, app: str) -> None:
    for words in (["--no-tty", app], [app, "--no-tty"]):
        with _terminal(instance, "run", *words, "sh", "-c", "test -t 1 || echo plain") as terminal:
            terminal.wait_for("plain")
            assert terminal.end() == 0


def test_ctrl_c_without_a_terminal_inside_ends_the_program(instance: Instance, app: str) -> None:
    with _terminal(instance, "run", "--no-tty", app, "sh", "-c", "echo ready; exec sleep 1000") as terminal:
        terminal.wait_for("ready")
        terminal.type("\x03")
        assert terminal.end() == 130


def test_a_terminal_that_goes_away_ends_the_program(instance: Instance, app: str) -> None:
    with _terminal(instance, "run", app, "sh", "-c", "echo ready; exec sleep 1000") as terminal:
        terminal.wait_for("ready")
        assert len(_one_offs(instance, app)) == 1
        terminal.hang_up()
        wait_for(lambda: not _one_offs(instance, app), 30)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_us_ends_the_program(instance: Instance, app: str, number: int) -> None:
    process = _waiting(instance, app)
    process.send_signal(number)
    assert process.wait(timeout=30) == 128 + number
    wait_for(lambda: not _one_offs(instance, app), 30)


def test_a_program_whose_caller_was_killed_ends_by_itself_and_is_gone(instance: Instance, app: str) -> None:
    process = _waiting(instance, app, "echo ready; sleep 3")
    process.kill()
    process.wait(timeout=10)
    wait_for(lambda: not _one_offs(instance, app), 30)


def test_a_program_at_the_terminal_of_a_killed_caller_is_retired(instance: Instance, app: str) -> None:
    with _terminal(instance, "run", app, "sh") as terminal:
        terminal.type("echo rea''dy\n")
        terminal.wait_for("ready")
        assert instance.dokku("ps:retire").code == 0
        assert len(_one_offs(instance, app)) == 1
        terminal.process.kill()
        terminal.process.wait(timeout=10)
        wait_for(lambda: instance.dokku("ps:retire").code == 0 and not _one_offs(instance, app), 60)


def test_nobody_reads_so_the_program_ends(instance: Instance, app: str) -> None:
    process = _waiting(instance, app, "echo ready; while echo more; do sleep 0.1; done")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) != 0
    wait_for(lambda: not _one_offs(instance, app), 30)


def _waiting(
    instance: Instance, app: str, script: str = "echo ready; exec sleep 1000"
) -> "subprocess.Popen[bytes]":
    """A run whose program has said `ready`."""
    argv = [str(instance.place / "bin/dokku"), "run", app, "sh", "-c", script]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_over_ssh_there_is_a_terminal_if_asked_for(instance: Instance, app: str) -> None:
    piped = instance.ssh("run", app, "cat", input="typed\n")
    assert (piped.code, piped.out, piped.err) == (0, "typed\n", "")
    failed = instance.ssh("run", app, "sh", "-c", "'echo out; echo err >&2; exit 3'")
    assert (failed.code, failed.out, failed.err) == (3, "out\n", "err\n")
    with _ssh_terminal(instance, "run", app) as terminal:
        terminal.type("test -t 0 && echo at a ter''minal\n")
        terminal.wait_for("at a terminal")
        terminal.type("exit 5\n")
        assert terminal.end() == 5


def test_a_lost_connection_ends_the_program(instance: Instance, app: str) -> None:
    with _ssh_terminal(instance, "run", app, "sleep", "1000") as terminal:
        wait_for(lambda: len(_one_offs(instance, app)) == 1, 30)
        terminal.process.kill()
        wait_for(lambda: not _one_offs(instance, app), 30)


def test_a_failing_option_leaves_nothing(instance: Instance, app: str) -> None:
    assert instance.dokku("docker-options:add", app, "run", "--network=no-such-network").code == 0
    try:
        done = instance.dokku("run", app, "true")
        detached = instance.dokku("run:detached", app, "true")
    finally:
        assert instance.dokku("docker-options:remove", app, "run", "--network=no-such-network").code == 0
    assert done.code != 0
    assert "no-such-network" in done.err
    assert detached.code != 0
    assert "no-such-network" in detached.err


def test_enter_runs_beside_the_program(instance: Instance, app: str) -> None:
    served = (instance.root / app / "CONTAINER.web.1").read_text().strip()
    for place in (["web"], ["web.1"], ["--container-id", served[:12]]):
        done = instance.dokku("enter", app, *place, "sh", "-c", 'hostname; echo "$DYNO"; exit 4')
        assert (done.code, done.out, done.err) == (4, f"{served[:12]}\nweb.1\n", "")
    piped = instance.dokku("enter", app, "web", "cat", input=b"\0\xff")
    assert piped.out == b"\0\xff".decode("utf-8", "surrogateescape")


def test_enter_at_a_terminal_is_a_shell(instance: Instance, app: str) -> None:
    with _terminal(instance, "enter", app, size=(31, 101)) as terminal:
        terminal.type("until stty size | grep '31 101'; do sleep 0.1; done\n")
        terminal.wait_for("\n31 101\n")
        terminal.type("sleep 1000\n")
        time.sleep(0.5)
        terminal.type("\x03")
        terminal.type("echo still he''re; exit 6\n")
        terminal.wait_for("still here")
        assert terminal.end() == 6


def test_enter_refuses_what_does_not_run(instance: Instance, app: str) -> None:
    for words, text in (
        (["cron"], "No containers found for type 'cron'"),
        (["--container-id"], "No container id specified"),
        (["--container-id", "0000"], "Invalid container id for app"),
    ):
        done = instance.dokku("enter", app, *words)
        assert (done.code, done.out) == (1, "")
        assert f" !     {text}" in done.err
        assert f" for app ({app}): " in done.err


def test_starting_costs_little_more_than_docker_itself(instance: Instance, app: str) -> None:
    """One look at the image, one creation, one start: nothing else asks docker."""
    docker = _recorded_docker(instance)
    try:
        assert instance.dokku("run", app, "true").code == 0
    finally:
        docker.unlink()
        instance.set_environment()
    calls = [line.split()[1] for line in (instance.place / "docker.calls").read_text().splitlines()[-3:]]
    assert calls == ["inspect", "create", "start"]

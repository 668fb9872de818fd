"""The runner with programs that really start."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lib.base import log, procfs, run, signals
from lib.base.errors import DokkuError, Interrupted, ToolFailed

TREE = Path(__file__).resolve().parents[2]
NASTY = [
    "a b",
    "",
    "*",
    "$HOME",
    "`id`",
    "$(id)",
    ";",
    "|",
    "&",
    ">",
    "<",
    "'",
    '"',
    "\\",
    "\n",
    "é",
    "--help",
    "~",
]


def python(script: str) -> list[str]:
    """A program that is us: a script with the runner at hand."""
    prelude = f"import os, sys; sys.path.insert(0, {str(TREE)!r}); from lib.base import log, run, signals\n"
    return [sys.executable, "-I", "-c", prelude + script]


def test_words_arrive_byte_for_byte() -> None:
    """RUN-1"""
    said = run.capture("printf", "%s\\0", *NASTY)
    assert said.split("\0")[:-1] == NASTY


def test_stdin_stdout_and_stderr_are_three_things() -> None:
    """RUN-4"""
    done = run.result("sh", "-c", "cat; echo err >&2; exit 3", stdin=b"in")
    assert done == (3, b"in", b"err\n")


def test_a_program_has_no_terminal_unless_we_have_one() -> None:
    """RUN-4"""
    script = "test -t 0 || test -t 1 || test -t 2; echo $?"
    assert run.capture("sh", "-c", script) == "1\n"


def test_our_terminal_is_the_programs_terminal() -> None:
    ours, theirs = pty.openpty()
    script = 'run.run("sh", "-c", "test -t 1 && test -t 2 && echo yes")'
    process = subprocess.Popen(python(script), stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    assert process.wait(timeout=20) == 0
    assert os.read(ours, 100) == b"yes\r\n"
    os.close(ours)


def test_stdin_is_empty_unless_it_is_given() -> None:
    """RUN-4"""
    done = subprocess.run(python('run.run("cat")'), input=b"ours", capture_output=True, check=True)
    assert done.stdout == b""
    done = subprocess.run(
        python('run.run("cat", stdin=run.INHERIT)'), input=b"ours", capture_output=True, check=True
    )
    assert done.stdout == b"ours"


def test_an_open_file_is_read_from_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"0123456789")
    with open(tmp_path / "in", "rb", buffering=0) as file:
        file.seek(5)
        assert run.capture("cat", stdin=file) == "56789"


def test_large_input_and_output_do_not_block() -> None:
    data = os.urandom(3_000_000)
    assert run.capture_bytes("cat", stdin=data) == data


def test_output_is_shown_while_the_program_runs() -> None:
    script = 'run.run("sh", "-c", "echo first; read nothing", stdin=run.INHERIT)'
    process = subprocess.Popen(python(script), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"first\n"
    assert process.communicate(b"\n", timeout=60) == (b"", None)


def test_a_program_gets_of_our_environment_what_is_listed_and_what_is_added_or_taken() -> None:
    """RUN-5"""
    os.environ |= {"DOKKU_KEPT": "1", "DOKKU_TAKEN": "1", "GIT_CONFIG_GLOBAL": "/evil", "LD_PRELOAD": ""}
    words = ["sh", "-c", 'echo "$DOKKU_KEPT $ADDED ${DOKKU_TAKEN-gone} ${GIT_CONFIG_GLOBAL-gone}"']
    said = run.capture(*words, env={"ADDED": "2", "DOKKU_TAKEN": None})
    assert said == "1 2 gone gone\n"
    assert "LD_PRELOAD" not in run.capture("env")


def test_a_program_starts_where_it_is_told(tmp_path: Path) -> None:
    assert run.capture("pwd", cwd=str(tmp_path)).strip() == str(tmp_path)


def test_nothing_else_is_open_in_a_program(tmp_path: Path) -> None:
    """RUN-4"""
    with open(tmp_path / "secret", "w") as file:
        os.set_inheritable(file.fileno(), True)
        said = run.capture("sh", "-c", "ls -l /proc/self/fd")
    assert "secret" not in said


def test_a_program_has_the_signals_it_would_have_from_a_shell() -> None:
    status = run.capture("cat", "/proc/self/status")
    ignored = int(next(line for line in status.splitlines() if line.startswith("SigIgn:")).split()[1], 16)
    for number in (signal.SIGPIPE, signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        assert not ignored & 1 << (number - 1), number


def test_a_program_we_become_has_them_too() -> None:
    script = 'run.become("grep", "SigIgn", "/proc/self/status")'
    done = subprocess.run(python(script), capture_output=True, check=True)
    assert not int(done.stdout.split()[1], 16) & 1 << (signal.SIGPIPE - 1)


@pytest.mark.parametrize(("script", "code"), [("exit 3", 3), ("kill -9 $$", 137), ("kill -TERM $$", 143)])
def test_how_a_program_ended_is_the_status(script: str, code: int) -> None:
    with pytest.raises(ToolFailed) as failure:
        run.run("sh", "-c", script)
    assert failure.value.exit_code == code


def test_a_program_that_is_not_there_is_named() -> None:
    """ENV-4"""
    with pytest.raises(DokkuError, match="no-such-program not found") as failure:
        run.run("no-such-program")
    assert failure.value.exit_code == 1


def test_a_file_that_is_no_program_is_an_error_of_ours(tmp_path: Path) -> None:
    """RUN-3"""
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    with pytest.raises(DokkuError):
        run.run(str(broken))


def test_a_program_that_takes_too_long_is_ended() -> None:
    """RUN-7"""
    others = procfs.children(os.getpid())
    with pytest.raises(DokkuError, match=r"sleep did not finish within 0\.3 seconds"):
        run.run("sleep", "600", timeout=0.3)
    assert set(procfs.children(os.getpid())) <= set(others)


def test_a_program_that_left_somebody_behind_is_not_waited_for_longer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert run.capture("sh", "-c", f"cat {tmp_path}/fifo & echo done", timeout=600) == "done\n"
    (tmp_path / "fifo").write_text("it may end now")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_us_ends_the_program(tmp_path: Path, number: signal.Signals) -> None:
    """RUN-8"""
    note = tmp_path / "pid"
    script = f"signals.install(); run.run('sh', '-c', 'echo $$ >{note}; exec sleep 60')"
    process = subprocess.Popen(python(script), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not (note.exists() and note.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    assert process.wait(timeout=20) != 0
    assert not Path(f"/proc/{note.read_text().strip()}").exists()


def test_lines_are_handed_over_as_they_come() -> None:
    lines: list[bytes] = []
    with pytest.raises(ToolFailed):
        run.stream("sh", "-c", "echo a; printf b; echo e >&2; exit 1", each=lines.append, merged=True)
    assert lines in ([b"a\n", b"be\n"], [b"a\n", b"b", b"e\n"])


def test_what_is_done_with_a_line_writes_where_the_caller_does(capfd: pytest.CaptureFixture[str]) -> None:
    with log.collected() as collected:
        run.stream("sh", "-c", "echo a; sleep 0.1; echo e >&2; sleep 0.1; echo b", each=log.raw)
    assert collected == [(1, b"a\n"), (2, b"e\n"), (1, b"b\n")]
    assert capfd.readouterr() == ("", "")


def test_each_thread_has_its_own_output() -> None:
    said: dict[str, bytes] = {}

    def work(name: str) -> None:
        with log.collected() as collected:
            run.run("sh", "-c", f"for i in 1 2 3; do echo {name}; sleep 0.02; done")
        said[name] = b"".join(data for _, data in collected)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == {name: f"{name}\n".encode() * 3 for name in "abcd"}


def test_a_trace_has_no_arguments(capfd: pytest.CaptureFixture[str]) -> None:
    """RUN-4, SEC-1, SEC-5: a program's name and its first word are enough to know where we are."""
    os.environ["DOKKU_TRACE"] = "1"
    run.run("true", "login", "hunter2")
    said = capfd.readouterr().err
    assert said.startswith(" ?     true login")
    assert "hunter2" not in said


def test_an_exception_has_no_arguments() -> None:
    """RUN-4, SEC-5"""
    for status in ("1", "137"):
        with pytest.raises(ToolFailed) as failure:
            run.capture("sh", "-c", f"exit {status}", "hunter2")
        assert "hunter2" not in repr(failure.value) + str(failure.value)


def test_an_interruption_is_no_failure_of_the_program() -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted(signal.SIGALRM)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(Interrupted):
            run.run("sleep", "60")
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("timeout", [0, 60])
def test_the_end_of_a_program_is_not_asked_for_again_and_again(
    monkeypatch: pytest.MonkeyPatch, timeout: float
) -> None:
    asked: list[float] = []
    monkeypatch.setattr("time.sleep", asked.append)
    run.run("sleep", "0.05", timeout=timeout)
    assert asked == []


@pytest.mark.parametrize("begun", [True, False])
def test_another_thread_is_interrupted_in_its_program_or_at_its_next_and_may_clear_away(
    begun: bool, tmp_path: Path
) -> None:
    """begun: the signal comes while the program runs, and its children with it."""
    happened: list[str] = []
    go = threading.Event()

    def work() -> None:
        go.wait()
        try:
            run.run("sh", "-c", f"echo >{tmp_path}/began; sleep 100; echo too late")
            happened.append("ended by itself")
        except Interrupted as interruption:
            happened.append(str(interruption.exit_code))
            run.run("touch", f"{tmp_path}/cleared")

    thread = threading.Thread(target=work)
    thread.start()
    if begun:
        go.set()
        while not (tmp_path / "began").exists():
            time.sleep(0.01)
    signals.pass_on(signal.SIGINT, [thread.ident or 0])
    run.end_all()
    go.set()
    thread.join(60)
    assert happened == ["130"]
    assert (tmp_path / "cleared").exists()
    assert (tmp_path / "began").exists() is begun


def test_more_than_a_program_can_be_given_is_told_as_that():
    """Not as a program that can't be run."""
    with pytest.raises(DokkuError) as caught:
        run.run("true", env={f"KEY{number}": "x" * 100_000 for number in range(30)})
    assert re.fullmatch(
        r"true cannot be run: 30\d{5} bytes of arguments and variables are more than the system passes on",
        caught.value.text,
    )

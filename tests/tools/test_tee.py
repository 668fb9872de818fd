"""Copies of our streams, with real descriptors, programs and terminals: in an interpreter of their own."""

import os
import pty
import subprocess
import sys
import termios
import textwrap
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lib.base import log, memory, tee

TREE = Path(__file__).resolve().parents[2]
_START = """
import os, signal, sys, threading, time
sys.path.insert(0, {tree!r})
from lib.base import log, run, tee
kept = bytearray()
def done():
    with open({copy!r}, "wb") as file:
        file.write(kept)
    os._exit(0)
"""


def script(place: Path, text: str) -> list[str]:
    start = _START.format(tree=str(TREE), copy=str(place / "copy"))
    return [sys.executable, "-I", "-c", start + textwrap.dedent(text)]


def copy(place: Path) -> bytes:
    return (place / "copy").read_bytes()


def test_what_we_and_our_programs_say_goes_out_and_into_the_copy(tmp_path: Path) -> None:
    text = """
    log.plain("before")
    with tee.copied(kept.extend):
        log.plain("ours")
        run.run("sh", "-c", "echo theirs; echo wrong >&2")
        log.warn("last")
    log.plain("after")
    done()
    """
    ran = subprocess.run(script(tmp_path, text), capture_output=True, check=True)
    assert ran.stdout == b"before\nours\ntheirs\nafter\n"
    assert ran.stderr == b"wrong\n !     last\n"
    assert sorted(copy(tmp_path).splitlines()) == sorted([b"ours", b"theirs", b"wrong", b" !     last"])


def test_lines_keep_their_order_where_both_streams_lead_to_one_place(tmp_path: Path) -> None:
    text = """
    with tee.copied(kept.extend):
        for number in range(300):
            (log.plain if number % 3 else log.note)(str(number))
        run.run("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do echo $i; echo $i >&2; done")
    done()
    """
    ran = subprocess.run(script(tmp_path, text), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    numbers = [*range(300), *(number for number in range(1, 10) for _ in range(2))]
    assert [int(line) for line in ran.stdout.split()] == numbers
    assert copy(tmp_path) == ran.stdout


def test_much_output_arrives_whole(tmp_path: Path) -> None:
    text = """
    with tee.copied(kept.extend):
        run.run("sh", "-c", "yes 0123456789 | head -c 5000000")
    done()
    """
    ran = subprocess.run(script(tmp_path, text), capture_output=True, check=True)
    assert len(ran.stdout) == 5_000_000
    assert copy(tmp_path) == ran.stdout


@settings(max_examples=15)
@given(st.lists(st.binary(min_size=1, max_size=9000), max_size=12))
def test_bytes_pass_as_they_are(chunks: list[bytes]) -> None:
    saved, kept = os.dup(1), bytearray()
    with memory.file() as file:
        os.dup2(file, 1)
    try:
        with tee.copied(kept.extend):
            for chunk in chunks:
                log.raw(chunk)
        size = os.lseek(1, 0, os.SEEK_END)
        assert os.pread(1, size, 0) == b"".join(chunks) == bytes(kept)
    finally:
        os.dup2(saved, 1)
        os.close(saved)


def test_a_terminal_stays_a_terminal_of_the_same_size(tmp_path: Path) -> None:
    text = """
    with tee.copied(kept.extend):
        run.run("sh", "-c", "test -t 1 && test -t 2 && stty size <&1; echo over >&2")
        log.plain("end")
    done()
    """
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (41, 99))
    process = subprocess.Popen(script(tmp_path, text), stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 4096):
            said += chunk
    except OSError:  # the last one at the terminal has left
        pass
    os.close(ours)
    assert process.wait() == 0
    assert said == b"41 99\r\nover\r\nend\r\n"
    assert copy(tmp_path) == b"41 99\nover\nend\n"


def test_an_other_end_that_is_gone_is_told_once_and_work_goes_on(tmp_path: Path) -> None:
    text = """
    reading, writing = os.pipe()
    gone = threading.Event()
    calls = []
    def hung_up():
        calls.append(1)
        gone.set()
    with tee.copied(kept.extend, writing, hung_up):
        os.close(reading)
        gone.wait()
        log.note("still here")
        run.run("sh", "-c", "echo and here")
    assert calls == [1]
    done()
    """
    ran = subprocess.run(script(tmp_path, text), capture_output=True, check=True)
    assert copy(tmp_path) == b"still here\nand here\n"
    assert (ran.stdout, ran.stderr) == (b"", b"")


def test_a_full_pipe_that_nobody_reads_holds_nothing_up_when_the_other_end_is_gone(tmp_path: Path) -> None:
    """So it is with git-receive-pack: it keeps the pipe open after its client has left."""
    text = """
    reading, writing = os.pipe()
    gone = threading.Event()
    with tee.copied(kept.extend, writing, gone.set):
        threading.Timer(0.3, os.close, [reading]).start()
        run.run("sh", "-c", "yes 0123456789 | head -c 500000")
        gone.wait()
    log.plain("after")
    done()
    """
    process = subprocess.Popen(script(tmp_path, text), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.wait(timeout=60) == 0
    assert len(copy(tmp_path)) == 500_000
    process.communicate()


def test_without_a_wish_to_know_a_reader_that_went_away_changes_nothing(tmp_path: Path) -> None:
    text = """
    sys.stdin.read()
    with tee.copied(kept.extend):
        for number in range(3):
            log.plain(str(number))
            run.run("true")
    assert not log.has_failed()
    done()
    """
    process = subprocess.Popen(script(tmp_path, text), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.close()
    process.stdin.close()
    assert process.wait() == 0
    assert copy(tmp_path) == b"0\n1\n2\n"


def test_output_lost_on_a_full_device_is_not_forgotten(tmp_path: Path) -> None:
    text = """
    with tee.copied(kept.extend):
        log.plain("x")
    assert log.has_failed()
    done()
    """
    with open("/dev/full", "wb") as full:
        subprocess.run(script(tmp_path, text), stdout=full, check=True)
    assert copy(tmp_path) == b"x\n"


def test_a_program_left_running_with_our_streams_does_not_hold_us(tmp_path: Path) -> None:
    """It writes as fast as it can, until the pipe that nobody reads ends it."""
    text = """
    with tee.copied(kept.extend):
        run.run("sh", "-c", "setsid yes & echo $! >&2")
        run.run("setsid", "sh", "-c", "(sleep 600; echo never) & echo $! >&2")
    log.plain("after")
    done()
    """
    ran = subprocess.run(script(tmp_path, text), capture_output=True, timeout=60, check=True)
    assert ran.stdout.endswith(b"after\n")
    for pid in ran.stderr.split():
        subprocess.run(["kill", pid.decode()], stderr=subprocess.DEVNULL, check=False)


def test_a_signal_in_the_block_still_gives_the_streams_back(tmp_path: Path) -> None:
    text = """
    from lib.base import signals
    from lib.base.errors import Interrupted
    signals.install()
    try:
        with tee.copied(kept.extend):
            log.plain("in")
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(600)
    except Interrupted:
        log.plain("out")
    done()
    """
    ran = subprocess.run(script(tmp_path, text), capture_output=True, timeout=60, check=True)
    assert (ran.stdout, copy(tmp_path)) == (b"in\nout\n", b"in\n")


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    text = """
    before = sorted(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with tee.copied(kept.extend):
            with tee.copied(bytes), tee.watched(1) as is_read:
                log.plain("nested")
                assert is_read()
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert threading.active_count() == 1
    done()
    """
    ran = subprocess.run(script(tmp_path, text), capture_output=True, check=True)
    assert ran.stdout == copy(tmp_path) == b"nested\n" * 3


def test_a_watched_stream_tells_when_its_reader_is_gone() -> None:
    reading, writing = os.pipe()
    with tee.watched(writing) as is_read:
        assert is_read()
        os.close(reading)
        assert not is_read()
    os.close(writing)

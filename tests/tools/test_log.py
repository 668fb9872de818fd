"""What becomes of our output when nobody reads it, with real pipes and devices."""

import os
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
PRELUDE = f"import os, sys; sys.path.insert(0, {str(TREE)!r}); from lib.base import log\n"


def python(script: str, **options: object) -> "subprocess.CompletedProcess[bytes]":
    argv = [sys.executable, "-I", "-c", PRELUDE + script]
    return subprocess.run(argv, check=False, timeout=30, **options)  # type: ignore[call-overload,no-any-return]


def test_a_reader_that_went_away_ends_nothing(tmp_path: Path) -> None:
    """IO-6"""
    script = f"""
for _ in range(1000): log.plain("x" * 1000)
open({str(tmp_path / "done")!r}, "w").close()
os._exit(int(log.has_failed()))
"""
    done = subprocess.run(
        [
            "bash",
            "-c",
            'set -o pipefail; "$@" | head -c 10 >/dev/null',
            "x",
            sys.executable,
            "-I",
            "-c",
            PRELUDE + script,
        ],
        check=False,
        stderr=subprocess.PIPE,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "done").exists()


def test_a_full_device_is_a_failure_in_the_end() -> None:
    """IO-7"""
    with open("/dev/full", "wb") as full:
        done = python('log.plain("x"); log.plain("y"); os._exit(int(log.has_failed()))', stdout=full)
    assert done.returncode == 1


def test_a_reader_that_does_not_wait_gets_everything() -> None:
    """Somebody who shares our stdout can make it non-blocking; a full pipe then costs no line."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    script = 'for number in range(3000): log.plain(f"{number:0100}")'
    process = subprocess.Popen([sys.executable, "-I", "-c", PRELUDE + script], stdout=writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read().count(b"\n") == 3000
    assert process.wait(timeout=10) == 0


def test_closed_streams_are_never_a_file_of_ours(tmp_path: Path) -> None:
    """IO-7"""
    path = tmp_path / "state"
    script = f"""
for stream in range(3): os.close(stream)
log.claim_streams()
descriptor = os.open({str(path)!r}, os.O_RDWR | os.O_CREAT)
log.plain("lost"); log.warn("lost")
os._exit(descriptor)
"""
    assert python(script).returncode == 3
    assert path.read_bytes() == b""


def test_streams_that_are_open_stay_what_they_are() -> None:
    done = python('log.claim_streams(); log.plain("out"); log.note("err")', capture_output=True)
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")

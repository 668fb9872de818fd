"""Processes below processes: real shells and what they wait for."""

import os
import signal
import subprocess

from lib.base import descendants


def started(script: str) -> subprocess.Popen[bytes]:
    """A shell that has said `ready`."""
    process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_all_that_a_script_waits_for_ends_with_it() -> None:
    """The pipe ends when the last one that holds it has."""
    process = started("sh -c 'sleep 600 & echo ready; sleep 600; :'; sleep 600; :")
    assert len(descendants.of(process.pid)) in (2, 3)  # the second sleep may be about to start
    descendants.send(signal.SIGTERM, process.pid)
    assert process.communicate(timeout=30)[0] == b""
    assert process.returncode == -signal.SIGTERM


def test_what_a_script_starts_in_that_moment_ends_with_it_too() -> None:
    script = "echo ready; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 600 & done; wait"
    for _ in range(40):
        process = started(script)
        descendants.send(signal.SIGTERM, process.pid)
        assert process.communicate(timeout=30)[0] == b""


def test_what_is_not_below_is_left_alone() -> None:
    other, process = started("echo ready; sleep 600; :"), started("echo ready; sleep 600; :")
    assert other.pid not in descendants.of(process.pid)
    assert {other.pid, process.pid} <= set(descendants.of(os.getpid()))
    descendants.send(signal.SIGTERM, process.pid)
    process.communicate(timeout=30)
    assert other.poll() is None
    descendants.send(signal.SIGKILL, other.pid)
    other.communicate()


def test_a_process_that_is_gone_has_none_and_takes_no_signal() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert descendants.of(process.pid) == []
    descendants.send(signal.SIGTERM, process.pid)

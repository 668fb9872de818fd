import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.base import files, log, procfs, run, settings
from lib.tools import nginx
from tests.conftest import Shell
from tests.unit import host_access
from tests.unit.clock import Clock


def test_files_in_memory_do_not_disturb_the_runner(fs: object, capfd: pytest.CaptureFixture[str]) -> None:
    files.replace(f"{tempfile.gettempdir()}/memory/x", "there")
    log.plain(files.read(f"{tempfile.gettempdir()}/memory/x"))
    assert capfd.readouterr().out == "there\n"


def test_memory_ends_with_its_test() -> None:
    assert not os.path.exists(f"{tempfile.gettempdir()}/memory/x")


def test_programs_can_be_replaced_on_files_in_memory(fs: object, shell: Shell) -> None:
    shell.answers("docker ps…", out="4f2a\n")
    assert run.capture("docker", "ps", stdin=b"x") == "4f2a\n"
    assert shell.calls[0].stdin == b"x"


def test_answers_to_one_pattern_come_in_turn(shell: Shell) -> None:
    shell.answers("docker wait…", status=1)
    shell.answers("docker wait…", status=0)
    assert [run.succeeds("docker", "wait", "x") for _ in range(3)] == [False, True, True]


def test_the_newest_pattern_counts(shell: Shell) -> None:
    shell.answers("docker…", out="any")
    shell.answers("docker inspect… a", out="a")
    assert [run.capture("docker", *words) for words in (("inspect", "--x", "a"), ("inspect", "b"))] == [
        "a",
        "any",
    ]
    assert shell.ran == ["docker inspect --x a", "docker inspect b"]


def test_no_test_sees_the_instance_of_the_host() -> None:
    assert settings.root() not in ("/home/dokku", "")
    assert settings.lib() != "/var/lib/dokku"


@pytest.mark.parametrize(
    ("reach", "said"),
    [
        (lambda: Path("/etc/hostname").read_text(), "open /etc/hostname"),
        (lambda: os.listdir("/proc/1"), "os.listdir /proc/1"),
        (lambda: os.path.exists("/run/nginx.pid"), "os.stat /run/nginx.pid"),
        (lambda: os.access("/usr/bin/docker", os.X_OK), "os.access /usr/bin/docker"),
        (lambda: os.remove("/var/lib/nothing/there"), "os.remove /var/lib/nothing/there"),
        (lambda: subprocess.run(["true"], check=True), "subprocess.Popen"),
        (
            lambda: socket.socket(socket.AF_UNIX).connect("/run/docker.sock"),
            "socket.connect /run/docker.sock",
        ),
        (lambda: socket.getaddrinfo("localhost", 80), "socket.getaddrinfo localhost"),
    ],
)
def test_a_unit_test_that_reaches_the_host_fails(reach: Callable[[], object], said: str) -> None:
    with host_access.recorded() as reached, contextlib.suppress(OSError):
        reach()
    assert reached[0].startswith(f"{said}, from tests/unit/test_fixtures.py:")


def test_what_a_thread_of_a_unit_test_reaches_is_seen_too() -> None:
    with host_access.recorded() as reached:
        thread = threading.Thread(target=os.path.exists, args=("/etc/passwd",))
        thread.start()
        thread.join()
    assert reached
    assert "os.stat /etc/passwd" in reached[0]


def test_a_unit_tests_own_files_are_nobody_elses_business(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("1")
    assert os.path.realpath(tmp_path / "x")
    os.remove(tmp_path / "x")
    for address in ("127.0.0.1", "127.1", "::1", None):
        socket.getaddrinfo(address, 80)


def test_a_unit_test_has_a_host_of_its_own() -> None:
    assert procfs.started(os.getpid())
    assert not procfs.started(1)
    assert not nginx.is_running()
    assert not shutil.which("sh")


def test_time_passes_when_somebody_sleeps(clock: Clock) -> None:
    begin = time.time()
    time.sleep(3600)
    assert (time.time() - begin, time.monotonic(), clock.slept) == (3600, 3600, [3600])


@pytest.mark.real_clock
def test_a_test_may_ask_for_the_real_clock() -> None:
    assert time.monotonic() == pytest.approx(time.clock_gettime(time.CLOCK_MONOTONIC), abs=3600)

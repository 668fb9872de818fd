"""The deploy lock between processes that live and die."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lib.base import locks, settings

TREE = Path(__file__).resolve().parents[2]
PRELUDE = f"""
import os, sys, time
sys.path.insert(0, {str(TREE)!r})
from lib.base import locks, run
from lib.base.errors import Locked
"""
HOLD = 'with locks.deploy("blog"): print("held", flush=True); time.sleep(60)'


@pytest.fixture(autouse=True)
def _app() -> None:
    os.makedirs(settings.app_dir("blog"))


def process(script: str) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-I", "-c", PRELUDE + script]
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)


def holder(script: str = HOLD) -> "subprocess.Popen[bytes]":
    started = process(script)
    assert started.stdout is not None
    assert started.stdout.readline() == b"held\n"
    return started


def end(started: "subprocess.Popen[bytes]") -> None:
    started.kill()
    started.communicate()


def test_the_lock_of_another_process_is_seen() -> None:
    """LCK-2"""
    other = holder()
    try:
        assert locks.is_running("blog")
        with pytest.raises(locks.Locked) as refusal, locks.deploy("blog"):
            pass
        assert refusal.value.more[0].startswith("Held by default (")
    finally:
        end(other)


def test_a_killed_deploy_needs_no_unlocking() -> None:
    """LCK-3"""
    end(holder())
    with locks.deploy("blog"):
        pass


def test_a_program_that_survives_the_deploy_does_not_hold_its_lock(tmp_path: Path) -> None:
    """LCK-1, LCK-3"""
    script = f"""
with locks.deploy("blog"):
    run.run("sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $! >{tmp_path}/pid")
    print("held", flush=True)
    time.sleep(60)
"""
    other = holder(script)
    survivor = int((tmp_path / "pid").read_text())
    try:
        end(other)
        assert Path(f"/proc/{survivor}").exists()
        with locks.deploy("blog"):
            pass
    finally:
        os.kill(survivor, 9)


def test_a_dokku_inside_a_deploy_passes_and_others_do_not() -> None:
    """LCK-1"""
    script = f"""
with locks.deploy("blog"):
    inner = "import sys; sys.path.insert(0, {str(TREE)!r}); from lib.base import locks\\n"
    inner += "with locks.deploy('blog'): pass"
    run.run(sys.executable, "-I", "-c", inner)
    print("held", flush=True)
    time.sleep(60)
"""
    other = holder(script)
    try:
        with pytest.raises(locks.Locked), locks.deploy("blog"):
            pass
    finally:
        end(other)


@pytest.mark.parametrize("round_", range(5))
def test_of_many_at_the_same_instant_one_wins(round_: int, tmp_path: Path) -> None:
    """LCK-6"""
    gate = tmp_path / "gate"
    script = f"""
while not os.path.exists({str(gate)!r}): pass
try:
    with locks.deploy("blog"): print("won"); time.sleep(1)
except Locked: print("lost")
"""
    rivals = [process(script) for _ in range(6)]
    time.sleep(0.5)
    gate.touch()
    said = sorted(rival.communicate()[0] for rival in rivals)
    assert said == [b"lost\n"] * 5 + [b"won\n"]


def test_asking_all_the_time_fails_no_deploy() -> None:
    asker = process('print("held", flush=True)\nwhile True: locks.is_running("blog")')
    assert asker.stdout is not None
    asker.stdout.readline()
    try:
        for _ in range(200):
            with locks.deploy("blog"):
                pass
    finally:
        end(asker)

"""Programs that do not get on, and those that only look like it."""

import sys
import time
from pathlib import Path

import pytest

from lib.base import run
from lib.base.errors import Transient

PATIENCE = 1.2  # seconds
TEXT = r"^(sh|sleep|timeout) received next to nothing for 1\.2 seconds; it was stopped$"


@pytest.mark.parametrize(
    "script",
    [
        "exec sleep 60",
        f"exec {sys.executable} -Ic 'import time\nwhile True: print(1, end=str(), flush=time.sleep(0.2))'",
        "(sleep 60) & wait",
    ],
)
def test_a_program_that_receives_next_to_nothing_is_stopped(script: str) -> None:
    """SYN-5"""
    began = time.monotonic()
    with pytest.raises(Transient, match=TEXT):
        run.result("sh", "-c", script, stall=PATIENCE)
    assert time.monotonic() - began < 10


def test_one_that_goes_on_slowly_is_waited_for() -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do head -c 500 /dev/zero; sleep 0.2; done"
    assert len(run.result("sh", "-c", script, stall=PATIENCE).output) == 6000


def test_one_that_only_reckons_is_waited_for() -> None:
    script = "i=0; while [ $i -lt 900000 ]; do i=$((i+1)); done"
    assert run.result("sh", "-c", script, stall=PATIENCE).status == 0


def test_one_whose_child_does_the_work_is_waited_for(tmp_path: Path) -> None:
    script = f"for i in 1 2 3 4 5 6; do sleep 0.4; head -c 900 /dev/zero >>{tmp_path}/got; done"
    run.result("sh", "-c", f"({script}) & wait", stall=PATIENCE)
    assert (tmp_path / "got").stat().st_size == 5400

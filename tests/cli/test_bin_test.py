"""bin/test itself: two at once would share docker, packages and caches."""

import contextlib
import fcntl
import os
import subprocess
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
LOCK = Path("/run/dokku-test.lock")


@pytest.mark.skipif(os.geteuid() != 0, reason="root's lock is the one that counts")
def test_a_second_run_at_once_is_refused_in_one_line() -> None:
    with open(LOCK, "w") as lock:
        with contextlib.suppress(BlockingIOError):  # bin/test, which has started us, holds it
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        done = subprocess.run([TREE / "bin/test"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f" !     Another bin/test runs on this machine; wait for it to end ({LOCK})\n"

"""What a signal does wherever it meets a process: in a process of its own: pytest has hooks, too."""

import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
_SCRIPT = """
import signal, time
from lib.base import signals
from lib.base.errors import Interrupted

class Leaving:
    def __del__(self):
        {what}

signals.install()
try:
    Leaving()
    print("goes on", flush=True)
    time.sleep({patience})
except Interrupted as error:
    print("heard", error.exit_code)
"""


def ended(what: str, patience: float) -> subprocess.CompletedProcess[str]:
    """A process that does something while an object of it is cleared away."""
    argv = [sys.executable, "-c", _SCRIPT.format(what=what, patience=patience)]
    return subprocess.run(argv, cwd=TREE, capture_output=True, text=True, timeout=60, check=False)


def test_a_signal_that_comes_while_python_clears_away_is_not_lost() -> None:
    done = ended("signal.raise_signal(signal.SIGTERM)", patience=50)
    assert (done.stdout, done.stderr) == ("goes on\nheard 143\n", "")


def test_a_bug_in_clearing_away_is_told_as_ever() -> None:
    done = ended("raise ValueError('a bug')", patience=0)
    assert done.stdout == "goes on\n"
    assert "Exception ignored in" in done.stderr
    assert "ValueError: a bug" in done.stderr

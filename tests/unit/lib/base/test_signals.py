import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.base import settings, signals
from lib.base.errors import Interrupted


@pytest.fixture(autouse=True)
def _handlers() -> object:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signals.install()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_is_an_exception_with_the_status_of_a_shell(number: signal.Signals, code: int) -> None:
    with pytest.raises(Interrupted) as interruption:
        signal.raise_signal(number)
    assert interruption.value.exit_code == code


def interrupted_inside(*numbers: signal.Signals, failure: Exception | None = None) -> None:
    """A block that must not be interrupted, and is asked to end."""
    with signals.deferred():
        for number in numbers:
            signal.raise_signal(number)
        with signals.deferred():
            signal.raise_signal(signal.SIGTERM)
        _reached.append("finished")
        if failure:
            raise failure


_reached: list[str] = []


def test_a_block_that_must_not_be_interrupted_is_finished_first() -> None:
    _reached.clear()
    with pytest.raises(Interrupted):
        interrupted_inside(signal.SIGTERM)
    assert _reached == ["finished"]


def test_what_was_deferred_happens_once() -> None:
    with pytest.raises(Interrupted) as interruption:
        interrupted_inside(signal.SIGHUP, signal.SIGTERM)
    assert interruption.value.exit_code == 129
    with signals.deferred():
        pass


def test_a_failure_in_such_a_block_is_not_lost() -> None:
    with pytest.raises(Interrupted) as interruption:
        interrupted_inside(signal.SIGTERM, failure=KeyError("x"))
    assert isinstance(interruption.value.__context__, KeyError)


def test_threads_defer_nothing_and_disturb_nobody() -> None:
    def work() -> None:
        with signals.deferred():
            pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    with pytest.raises(Interrupted):
        signal.raise_signal(signal.SIGTERM)


def test_what_nohup_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals.install()
    signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


@pytest.fixture
def switch() -> Path:
    os.environ["DOKKU_TEST_FAILPOINT"] = "built:raise"
    directory = Path(settings.lib())
    directory.mkdir()
    return directory / "failpoints"


def test_failpoints_do_nothing_without_their_file(switch: Path) -> None:
    signals.failpoint("built")


@pytest.mark.skipif(os.geteuid() != 0, reason="the file has to be root's")
def test_a_failpoint_acts_at_its_stage_only(switch: Path) -> None:
    switch.touch()
    signals.failpoint("other")
    with pytest.raises(RuntimeError, match="failpoint built"):
        signals.failpoint("built")


@pytest.mark.skipif(os.geteuid() != 0, reason="the file has to be root's")
def test_a_file_that_is_not_roots_switches_nothing_on(switch: Path) -> None:
    switch.touch()
    os.chown(switch, 65534, 65534)
    signals.failpoint("built")


def in_a_thread(work: Callable[[], None]) -> list[str]:
    """What happens in a thread that a signal is passed on to before it does its work."""
    happened: list[str] = []
    marked = threading.Event()

    def body() -> None:
        marked.wait()
        for _ in range(2):
            try:
                work()
            except Interrupted as interruption:
                happened.append(str(interruption.exit_code))
            else:
                happened.append("went on")

    thread = threading.Thread(target=body)
    thread.start()
    signals.pass_on(signal.SIGTERM, [thread.ident or 0])
    signals.heed()  # not for this thread
    marked.set()
    thread.join()
    return happened


def test_a_signal_passed_on_to_a_thread_is_heard_there_once() -> None:
    assert in_a_thread(signals.heed) == ["143", "went on"]


def test_a_thread_that_defers_signals_hears_of_them_afterwards() -> None:
    finished: list[bool] = []

    def work() -> None:
        with signals.deferred() as alone:
            finished.append(alone)
            with signals.deferred() as alone:
                signals.heed()
                finished.append(alone)
            signals.heed()
            finished.append(True)

    assert in_a_thread(work) == ["143", "went on"]
    assert finished == [False, True, True] * 2

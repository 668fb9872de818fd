import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lib.base import log, parallel, signals
from lib.base.errors import AppsFailed, DokkuError, Interrupted, ToolFailed

Capture = pytest.CaptureFixture[str]


def broken_for(*apps: str) -> Callable[[str], None]:
    def work(app: str) -> None:
        log.verbose(f"working on {app}")
        if app in apps:
            raise DokkuError(f"{app} is broken")

    return work


def test_one_worker_does_one_app_after_another(capfd: Capture) -> None:
    parallel.each("restart", broken_for(), ["a", "b"], 1)
    said = capfd.readouterr()
    assert said.out.splitlines() == [
        "-----> Running restart against app a",
        "       working on a",
        "-----> Running restart against app b",
        "       working on b",
    ]
    assert said.err == " !     Running restart in serial mode\n"


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_a_failure_is_counted_and_the_others_go_on(workers: int, capfd: Capture) -> None:
    """PAR-1"""
    with pytest.raises(DokkuError, match="2 errors") as failure:
        parallel.each("restart", broken_for("a", "c"), ["a", "b", "c", "d"], workers)
    said = capfd.readouterr()
    assert all(f"working on {app}\n" in said.out for app in "abcd")
    assert said.err.count("is broken\n") == 2
    assert failure.value.exit_code == 1
    assert failure.value.more == ("Failed apps: a, c",)


def test_many_workers_keep_the_lines_of_an_app_together(capfd: Capture) -> None:
    """PAR-4"""

    def work(app: str) -> None:
        for number in range(20):
            log.plain(f"{app} {number}")
            time.sleep(0.001)

    parallel.each("restart", work, ["a", "b", "c"], 3)
    lines = [line for line in capfd.readouterr().out.splitlines() if not line.startswith("----->")]
    assert [line.split()[0] for line in lines] in [
        [app for app in order for _ in range(20)] for order in ("abc", "acb", "bac", "bca", "cab", "cba")
    ]


def test_no_more_apps_at_a_time_than_workers() -> None:
    """PAR-2"""
    under_way, most, guard, pair = 0, 0, threading.Lock(), threading.Barrier(2, timeout=30)

    def work(app: str) -> None:
        nonlocal under_way, most
        with guard:
            under_way += 1
            most = max(most, under_way)
        pair.wait()
        with guard:
            under_way -= 1

    parallel.each("restart", work, [f"a{number}" for number in range(8)], 2)
    assert most == 2


def test_minus_one_is_the_number_of_cpus(capfd: Capture) -> None:
    """PAR-2"""
    parallel.each("restart", broken_for(), ["a"], -1)
    assert " !     Setting --parallel=-1 value to CPU count of " in capfd.readouterr().err


def test_less_is_refused() -> None:
    """PAR-2"""
    with pytest.raises(DokkuError, match="Invalid value -2 for --parallel flag"):
        parallel.each("restart", broken_for(), ["a"], -2)


def test_no_apps_is_a_warning(capfd: Capture) -> None:
    """PAR-6"""
    parallel.each("restart", broken_for(), [], 4)
    assert capfd.readouterr() == ("", " !     You haven't deployed any applications yet\n")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bug_in_one_app_does_not_end_the_others(workers: int, capfd: Capture) -> None:
    """PAR-3"""

    def work(app: str) -> None:
        if app == "a":
            raise KeyError("oops")
        log.plain(f"did {app}")

    with pytest.raises(DokkuError, match="1 errors"):
        parallel.each("restart", work, ["a", "b"], workers)
    said = capfd.readouterr()
    assert "did b\n" in said.out
    assert re.search(r"a: A bug of dokku \(\S+test_parallel.py, line \d+\): 'oops'; ", said.err)
    assert "KeyError" not in said.err


def test_a_program_that_spoke_for_itself_is_shown_by_its_status(capfd: Capture) -> None:
    def work(app: str) -> None:
        raise ToolFailed("docker", 125)

    with pytest.raises(DokkuError):
        parallel.each("restart", work, ["a"], 1)
    assert " !     Error running restart against app a: exit status 125\n" in capfd.readouterr().err


def ending_with(error: DokkuError) -> Callable[[], contextlib.AbstractContextManager[None]]:
    @contextlib.contextmanager
    def together() -> Iterator[None]:
        yield
        raise error

    return together


@pytest.mark.parametrize(("workers", "what"), [(1, "app b"), (2, "b")])
def test_apps_that_the_last_step_refuses_are_failures_like_others(
    workers: int, what: str, capfd: Capture
) -> None:
    refused = ending_with(AppsFailed("nginx refuses b, c", {"b": "b is odd", "c": "c is odd"}))
    with pytest.raises(DokkuError, match="3 errors") as failure:
        parallel.each("build-config", broken_for("a"), ["a", "b", "c", "d"], workers, refused)
    assert failure.value.more == ("Failed apps: a, b, c",)
    assert f" !     Error running build-config against {what}: b is odd\n" in capfd.readouterr().err


def test_a_last_step_that_fails_for_all_is_one_failure(capfd: Capture) -> None:
    refused = ending_with(DokkuError("nginx is not running"))
    with pytest.raises(DokkuError, match=r"^build-config command returned 2 errors$") as failure:
        parallel.each("build-config", broken_for("a"), ["a", "b"], 1, refused)
    assert failure.value.more == ("Failed apps: a", "nginx is not running")


def interrupted_at(app: str) -> Callable[[str], None]:
    def work(name: str) -> None:
        if name == app:
            raise KeyboardInterrupt
        broken_for("bad")(name)

    return work


def test_an_interruption_tells_what_is_done_and_what_is_not(capfd: Capture) -> None:
    with pytest.raises(KeyboardInterrupt):
        parallel.each("restart", interrupted_at("c"), ["a", "bad", "c", "d"], 1)
    assert capfd.readouterr().err.splitlines()[-4:] == [
        " !     Interrupted: 1 of 4 apps done",
        " !     Done: a",
        " !     Failed: bad",
        " !     Not done: c, d",
    ]


def test_what_the_last_step_refuses_after_an_interruption_is_not_done(capfd: Capture) -> None:
    @contextlib.contextmanager
    def together() -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt as interruption:
            raise interruption from AppsFailed("refused", {"a": "a is odd"})

    with pytest.raises(KeyboardInterrupt):
        parallel.each("restart", interrupted_at("c"), ["a", "b", "c"], 1, together)
    assert capfd.readouterr().err.splitlines()[-5:] == [
        " !     Error running restart against app a: a is odd",
        " !     Interrupted: 1 of 3 apps done",
        " !     Done: b",
        " !     Failed: a",
        " !     Not done: c",
    ]


def test_an_interruption_of_many_workers_begins_no_more_and_waits_for_those_under_way(
    capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAR-3"""
    import concurrent.futures

    under_way, goes_on = threading.Event(), threading.Event()
    real, asked = concurrent.futures.wait, []

    def wait(futures: Any, **how: Any) -> Any:
        asked.append(futures)
        if len(asked) > 1:
            return real(futures, **how)
        under_way.wait()
        raise KeyboardInterrupt

    def work(name: str) -> None:
        under_way.set()
        goes_on.wait()

    monkeypatch.setattr(concurrent.futures, "wait", wait)
    monkeypatch.setattr("lib.base.run.end_all", goes_on.set)
    with pytest.raises(KeyboardInterrupt):
        parallel.each("restart", work, [f"a{number}" for number in range(9)], 2)
    said = capfd.readouterr()
    begun = [line.rpartition(" ")[2] for line in said.out.splitlines()]
    assert 1 <= len(begun) <= 2
    assert f" !     Interrupted: {len(begun)} of 9 apps done\n" in said.err


def test_a_worker_that_was_interrupted_has_neither_done_nor_failed(
    capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import concurrent.futures

    begun = threading.Barrier(3, timeout=30)
    real, asked = concurrent.futures.wait, []

    def wait(futures: Any, **how: Any) -> Any:
        asked.append(futures)
        if len(asked) > 1:
            return real(futures, **how)
        begun.wait()
        raise Interrupted(15)

    def work(name: str) -> None:
        begun.wait()
        while True:
            signals.heed()
            time.sleep(0.001)

    monkeypatch.setattr(concurrent.futures, "wait", wait)
    with pytest.raises(Interrupted):
        parallel.each("restart", work, ["a", "b", "c"], 2)
    assert capfd.readouterr().err.splitlines() == [
        " !     Interrupted: 0 of 3 apps done",
        " !     Not done: a, b, c",
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_mail_from_cron_holds_the_apps_that_said_something_and_no_others(
    workers: int, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(app: str) -> None:
        if app == "b":
            log.verbose("fetched")
        if app == "c":
            raise DokkuError("no such branch")

    monkeypatch.setattr(log, "is_mail", lambda: True)
    parallel.each("sync", work, ["a", "d"], workers)
    assert capfd.readouterr() == ("", "")
    with pytest.raises(DokkuError, match="1 errors"):
        parallel.each("sync", work, ["a", "b", "c"], workers)
    said = capfd.readouterr()
    assert [line.split()[-1] for line in said.out.splitlines()] in (
        ["b", "fetched", "c"],
        ["c", "b", "fetched"],
    )
    assert said.err.endswith("c: no such branch\n")

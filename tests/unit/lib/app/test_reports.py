import os
import threading

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.app import reports
from lib.base import parallel, settings
from lib.base.errors import AppNotFound, DokkuError, UsageError
from lib.base.report import Row

Capture = pytest.CaptureFixture[str]
PLAIN = st.lists(st.sampled_from(["--global", "--app-dir", "--", "x", "4", "--format"]), max_size=4)


def rows(app: str) -> list[Row]:
    return [Row("--demo-name", app), Row("--demo-thread", str(threading.current_thread().name))]


def show(*words: str) -> None:
    reports.show(list(words), "stdout", "demo information", "demo-", rows)


@pytest.fixture
def three(fs: object) -> None:
    for app in ("cat", "ant", "bee"):
        os.mkdir(settings.app_dir(app))


@pytest.mark.parametrize(
    "words",
    [[], ["--all"], ["ant", "--all"], ["--parallel", "2"], ["--all", "--parallel=3"], ["--parallel", "-1"]],
)
def test_a_report_on_all_apps_is_the_same_however_it_is_asked_for(
    three: None, words: list[str], capfd: Capture
) -> None:
    show("--demo-name", *words)
    assert capfd.readouterr().out == "ant\nbee\ncat\n"


def test_several_workers_look_apps_up_in_threads(three: None, capfd: Capture) -> None:
    show("--demo-thread", "--parallel", "2")
    assert "MainThread" not in capfd.readouterr().out
    show("--demo-thread", "--parallel", "1")
    assert set(capfd.readouterr().out.split()) == {"MainThread"}


@pytest.mark.parametrize("words", [["--parallel"], ["--parallel", "x"], ["--parallel="], ["--parallel", "٣"]])
def test_what_is_no_number_of_workers_is_a_wrong_word(three: None, words: list[str]) -> None:
    with pytest.raises(UsageError, match="--parallel"):
        show(*words)


def test_a_number_that_means_nothing_is_refused(three: None) -> None:
    with pytest.raises(DokkuError, match="Invalid value -2 for --parallel flag"):
        show("--parallel", "-2")


def test_an_app_has_to_exist_unless_all_are_meant(three: None) -> None:
    with pytest.raises(AppNotFound):
        show("nope")
    show("nope", "--all")


@hypothesis.settings(deadline=None, max_examples=60)
@given(words=PLAIN, number=st.integers(0, parallel.MOST), place=st.integers(0, 4), joined=st.booleans())
def test_the_number_of_workers_may_stand_anywhere(
    words: list[str], number: int, place: int, joined: bool
) -> None:
    flag = [f"--parallel={number}"] if joined else ["--parallel", str(number)]
    plain = reports.asked(words)
    assert reports.asked([*words[:place], *flag, *words[place:]]) == plain._replace(workers=number)

"""What is read below /proc, from files as the kernel writes them."""

import os
from pathlib import Path

import pytest

from lib.base import procfs

# Of a process whose name has a blank and a bracket: everything from the last `)` on counts.
STAT = "7 (a) b) {state} 4 7 7 0 -1 4194560 9 0 0 0 1 2 0 0 20 0 1 0 {start} 5 6 7\n"


@pytest.fixture(autouse=True)
def _memory(fs: object) -> None:
    pass


def make(
    pid: int, state: str = "S", start: int = 99, title: bytes = b"sh\0-c\0x\0", children: str = ""
) -> None:
    place = Path("/proc", str(pid))
    (place / "task" / str(pid)).mkdir(parents=True)
    (place / "stat").write_text(STAT.format(state=state, start=start))
    (place / "cmdline").write_bytes(title)
    (place / "task" / str(pid) / "children").write_text(children)


def test_a_process_is_told_by_its_number_and_start() -> None:
    make(7)
    assert procfs.exists(7)
    assert (procfs.started(7), procfs.parent(7), procfs.words(7)) == ("99", 4, ["sh", "-c", "x"])


@pytest.mark.parametrize("state", ["Z", "X"])
def test_what_has_ended_and_was_not_waited_for_has_no_start(state: str) -> None:
    make(7, state)
    assert procfs.started(7) == ""


def test_a_title_is_one_word() -> None:
    make(7, title=b"nginx: worker process is shutting down\0\0\0")
    assert procfs.words(7) == ["nginx: worker process is shutting down"]


def test_nothing_is_known_of_a_process_that_is_gone() -> None:
    assert not procfs.exists(8)
    assert (procfs.started(8), procfs.parent(8), procfs.words(8), procfs.words(0)) == ("", 0, [""], [])
    assert (procfs.threads(8), procfs.children(8), procfs.stat(8)) == ([], [], [])


def test_children_are_those_of_all_threads() -> None:
    make(7, children="8 9 ")
    Path("/proc/7/task/70").mkdir()
    Path("/proc/7/task/70/children").write_text("10 ")
    assert sorted(procfs.children(7)) == [8, 9, 10]


def test_ipv6_is_there_when_an_interface_has_an_address() -> None:
    assert not procfs.has_ipv6()
    os.makedirs("/proc/net")
    Path("/proc/net/if_inet6").write_text("")
    assert not procfs.has_ipv6()
    Path("/proc/net/if_inet6").write_text("00000000000000000000000000000001 01 80 10 80 lo\n")
    assert procfs.has_ipv6()

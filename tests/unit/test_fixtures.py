import os

import pytest

from lib.base import files, log, run, settings
from tests.conftest import Shell


def test_files_in_memory_do_not_disturb_the_runner(fs: object, capfd: pytest.CaptureFixture[str]) -> None:
    files.replace("/home/nobody/x", "there")
    log.plain(files.read("/home/nobody/x"))
    assert capfd.readouterr().out == "there\n"


def test_memory_ends_with_its_test() -> None:
    assert not os.path.exists("/home/nobody/x")


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

import errno
import os

import pytest

from lib.base.errors import AppsFailed, Interrupted, ToolFailed, reason


def test_apps_that_failed_are_told_with_their_reasons() -> None:
    error = AppsFailed("Refused: a, b", {"a": "bad", "b": "worse"})
    assert (error.text, error.more, error.exit_code) == ("Refused: a, b", ("a: bad", "b: worse"), 1)
    assert error.reasons == {"a": "bad", "b": "worse"}
    assert AppsFailed("Refused: a", {"a": "bad"}, more=("all of it",)).more == ("all of it",)


@pytest.mark.parametrize(("status", "code"), [(1, 1), (255, 255), (-9, 137), (-15, 143)])
def test_a_program_that_a_signal_ended_has_the_exit_code_of_a_shell(status: int, code: int) -> None:
    assert ToolFailed("docker", status).exit_code == code


def test_an_interruption_has_the_exit_code_of_its_signal() -> None:
    assert Interrupted(15).exit_code == 143


def test_a_refusal_of_the_operating_system_is_told_by_its_path_and_words() -> None:
    read_only = OSError(errno.EROFS, os.strerror(errno.EROFS), "/srv/dokku/blog")
    assert reason(read_only) == "/srv/dokku/blog: Read-only file system"
    assert reason(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) == "No space left on device"
    assert reason(ValueError("a\nb")) == "ValueError: a"

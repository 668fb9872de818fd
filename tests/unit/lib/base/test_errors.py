import pytest

from lib.base.errors import AppsFailed, Interrupted, ToolFailed


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

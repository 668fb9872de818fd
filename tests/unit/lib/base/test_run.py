import io
import os

import pytest

from lib.base import log, run
from lib.base.errors import DokkuError, ToolFailed
from tests.conftest import Shell


def test_a_program_gets_its_words_as_they_are(shell: Shell) -> None:
    """RUN-1"""
    words = ("git", "fetch", "--", "$(id); `id` *", "a b", "")
    run.run(*words)
    assert shell.calls[0].argv == list(words)


def test_capture_returns_stdout_only(shell: Shell) -> None:
    shell.answers("git rev-parse …", out="4f2a\n", err="warning\n")
    assert run.capture("git", "rev-parse", "HEAD") == "4f2a\n"


def test_stderr_of_a_captured_program_is_shown(shell: Shell, capfd: pytest.CaptureFixture[str]) -> None:
    shell.answers("git…", out="4f2a", err="warning\n")
    run.capture("git")
    assert capfd.readouterr() == ("", "warning\n")


def test_hidden_stderr_becomes_the_text_of_the_failure(
    shell: Shell, capfd: pytest.CaptureFixture[str]
) -> None:
    shell.answers("git…", err="fatal: no\n", status=128)
    with pytest.raises(ToolFailed) as failure:
        run.capture("git", show_errors=False)
    assert (failure.value.text, failure.value.exit_code) == ("fatal: no", 128)
    assert capfd.readouterr().err == ""


def test_a_program_that_spoke_for_itself_gets_no_text_of_ours(shell: Shell) -> None:
    shell.answers("git…", err="fatal: no\n", status=1)
    with pytest.raises(ToolFailed) as failure:
        run.capture("git")
    assert failure.value.text == ""


def test_a_killed_program_is_128_and_its_signal(shell: Shell) -> None:
    shell.answers("git", status=-9)
    with pytest.raises(ToolFailed) as failure:
        run.run("git")
    assert failure.value.exit_code == 137


def test_environment_is_added_to_ours(shell: Shell) -> None:
    os.environ |= {"DOKKU_FROM_US": "1", "NOT_LISTED": "1"}
    run.run("git", env={"GIT_TERMINAL_PROMPT": "0"})
    assert shell.calls[0].env["DOKKU_FROM_US"] == "1"
    assert "NOT_LISTED" not in shell.calls[0].env
    assert shell.calls[0].env["GIT_TERMINAL_PROMPT"] == "0"
    assert "GIT_TERMINAL_PROMPT" not in os.environ


def test_stdin_is_empty_unless_given(shell: Shell) -> None:
    run.run("cat")
    run.run("cat", stdin=b"x" * 200_000)
    run.run("cat", stdin=b"")
    assert [call.stdin for call in shell.calls] == [b"", b"x" * 200_000, b""]


def test_an_open_file_is_handed_over(shell: Shell, tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "in")
    with open(path, "wb") as file:
        file.write(b"archive")
    with open(path, "rb") as file:
        run.run("tar", stdin=file)
    assert shell.calls[0].stdin == b"archive"


def test_succeeds_shows_nothing(shell: Shell, capfd: pytest.CaptureFixture[str]) -> None:
    shell.answers("git…", out="out", err="err", status=1)
    assert not run.succeeds("git", "diff")
    assert run.succeeds("true")
    assert capfd.readouterr() == ("", "")


def test_output_of_a_collected_run_is_collected(shell: Shell, capfd: pytest.CaptureFixture[str]) -> None:
    shell.answers("docker…", out="built\n", err="careful\n")
    with log.collected() as said:
        run.run("docker", "build")
    assert said == [(1, b"built\ncareful\n")]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("word", ["a\0b", "\udcff"])
def test_words_no_program_can_get_are_refused(shell: Shell, word: str) -> None:
    """RUN-3"""
    with pytest.raises(DokkuError, match="Invalid value for git"):
        run.run("/usr/bin/git", word)
    assert shell.ran == []


def test_undecodable_output_is_kept(shell: Shell) -> None:
    """RUN-6"""
    shell.answers("git", out=b"caf\xe9\n")
    assert run.capture("git").encode("utf-8", "surrogateescape") == b"caf\xe9\n"
    assert run.capture_bytes("git") == b"caf\xe9\n"


def test_timeout_reaches_the_starter(shell: Shell) -> None:
    run.run("docker", "ps", timeout=30)
    assert shell.calls[0].timeout == 30


def test_an_io_object_without_a_descriptor_is_no_stdin(shell: Shell) -> None:
    with pytest.raises(io.UnsupportedOperation):
        run.run("cat", stdin=io.BytesIO(b"x"))

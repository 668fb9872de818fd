import errno
import http.client
import os
import re
from typing import Any

import pytest

from lib.base.errors import AppsFailed, Interrupted, ToolFailed, answer_reason, reason


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


def test_a_bug_is_told_by_its_place_and_never_by_a_name_of_pythons() -> None:
    try:
        raise ValueError("a\nb")
    except ValueError as error:
        said = reason(error)
    place = r"tests/unit/lib/base/test_errors\.py, line \d+"
    assert re.fullmatch(rf"A bug of dokku \({place}\): a; DOKKU_TRACE=1 shows more", said)


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        ConnectionResetError(),
        http.client.IncompleteRead(b"abc", 4),
        http.client.BadStatusLine("\x1b"),
        http.client.LineTooLong("header line"),
        http.client.RemoteDisconnected("Remote end closed connection without response"),
        ValueError(""),
    ],
    ids=lambda error: type(error).__name__,
)
def test_why_a_server_gave_no_answer_is_told_in_words(error: Exception) -> None:
    said = answer_reason(error)
    assert said.isprintable()
    assert " " in said
    assert type(error).__name__ not in said


def test_what_belongs_to_others_is_told_with_the_command_that_mends_it(
    monkeypatch: pytest.MonkeyPatch, fs: Any
) -> None:
    fs.create_file("/srv/dokku/a b/ENV")
    os.chown("/srv/dokku/a b/ENV", 0, 0)
    os.chown("/srv/dokku/a b", 0, 0)
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/srv/dokku/a b/ENV")
    shown = "/srv/dokku/a b/ENV: Permission denied. /srv/dokku/a b/ENV belongs to root"
    assert reason(denied) == f"{shown}: chown -R 4711 '/srv/dokku/a b/ENV'"
    new = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/srv/dokku/a b/.new/x")
    assert reason(new).endswith("/srv/dokku/a b belongs to root: chown -R 4711 '/srv/dokku/a b'")


def test_what_is_ours_needs_no_other_owner(fs: Any) -> None:
    fs.create_file("/srv/x")
    os.chown("/srv/x", os.geteuid(), -1)
    assert reason(PermissionError(errno.EACCES, "Permission denied", "/srv/x")) == "/srv/x: Permission denied"

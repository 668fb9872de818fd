import json
import os
import threading
from collections.abc import Callable

import pytest

from lib.base import log
from lib.base.errors import DokkuError

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("say", "out", "err"),
    [
        (log.info1, "-----> text\n", ""),
        (log.info2, "=====> text\n", ""),
        (log.verbose, "       text\n", ""),
        (log.plain, "text\n", ""),
        (log.exclaim, " !     text\n", ""),
        (log.warn, "", " !     text\n"),
        (log.note, "", "text\n"),
        (log.debug, "", ""),
    ],
)
def test_every_word_of_the_vocabulary(say: Callable[[str], None], out: str, err: str, capfd: Capture) -> None:
    say("text")
    assert capfd.readouterr() == (out, err)


@pytest.mark.parametrize("error", [DokkuError("it failed"), PermissionError(13, "it failed")])
def test_a_failure_that_is_only_told_ends_its_block_alone(error: Exception, capfd: Capture) -> None:
    with log.only_warned():
        raise error
    assert "it failed" in capfd.readouterr().err


QUIET = [log.info1_quiet, log.info2_quiet, log.verbose_quiet, log.plain_quiet, log.warn_quiet]


@pytest.mark.parametrize("say", QUIET)
def test_quiet_lines_are_silent_when_asked(say: Callable[[str], None], capfd: Capture) -> None:
    os.environ["DOKKU_QUIET_OUTPUT"] = "0"  # any value asks
    say("text")
    assert capfd.readouterr() == ("", "")
    os.environ["DOKKU_QUIET_OUTPUT"] = ""
    say("text")
    assert "text\n" in "".join(capfd.readouterr())


def test_debug_speaks_under_trace(capfd: Capture) -> None:
    os.environ["DOKKU_TRACE"] = "1"
    log.debug("text")
    assert capfd.readouterr().err == " ?     text\n"


def test_bytes_that_are_no_text_come_out_as_they_went_in(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    log.plain(b"caf\xe9".decode("utf-8", "surrogateescape"))
    log.raw(b"\xff\x00", 2)
    assert capfdbinary.readouterr() == (b"caf\xe9\n", b"\xff\x00")


def test_columns_are_as_wide_as_their_widest_cell(capfd: Capture) -> None:
    log.columns([("a", "1", "x"), ("long", "22", "y")])
    log.columns([("a", "last is not padded")], indent="  ", gap=1)
    log.columns([])
    assert capfd.readouterr().out == "a     1   x\nlong  22  y\n  a last is not padded\n"


def test_collected_lines_stay_in_order_and_silent(capfd: Capture) -> None:
    with log.collected() as said:
        log.plain("a")
        log.warn("b")
        with log.collected() as inner:
            log.plain("c")
        log.raw(b"d")
    assert capfd.readouterr() == ("", "")
    assert said == [(1, b"a\n"), (2, b" !     b\n"), (1, b"d")]
    assert inner == [(1, b"c\n")]


def test_threads_collect_for_themselves(capfd: Capture) -> None:
    with log.collected() as said:
        thread = threading.Thread(target=log.plain, args=("elsewhere",))
        thread.start()
        thread.join()
    assert said == []
    assert capfd.readouterr().out == "elsewhere\n"


def test_a_failure_inside_ends_the_collection(capfd: Capture) -> None:
    with pytest.raises(KeyError), log.collected():
        raise KeyError
    log.plain("again")
    assert capfd.readouterr().out == "again\n"


@pytest.mark.parametrize("say", [log.info1, log.verbose, log.plain, log.warn, log.note, log.exclaim])
def test_control_characters_do_not_reach_the_terminal(say: Callable[[str], None], capfd: Capture) -> None:
    """IO-10"""
    say("a\x1b]0;owned\x07\x1b[2J\x9b1m\rb\x00\x08\tc\r\nd é")
    out, err = capfd.readouterr()
    assert (out + err).endswith("a\\x1b]0;owned\\x07\\x1b[2J\\u009b1m\\x0db\\x00\\x08\tc\nd é\n")


def test_a_failure_is_shown_without_them(capfd: Capture) -> None:
    log.failure(DokkuError("bad \x1b[31mname", more=("and \x1b[0m",)))
    assert capfd.readouterr().err == " !     bad \\x1b[31mname\n !     and \\x1b[0m\n"


def test_a_line_of_a_program_keeps_its_colours_and_nothing_else(capfd: Capture) -> None:
    log.output("\x1b[1;31mred\x1b[0m \x1b[2J\x1b]0;owned\x07\r")
    assert capfd.readouterr().out == "       \x1b[1;31mred\x1b[0m \\x1b[2J\\x1b]0;owned\\x07\\x0d\n"


def test_json_stays_json(capfd: Capture) -> None:
    log.plain(json.dumps({"a": "\x1b\x9b"}, ensure_ascii=False))
    assert json.loads(capfd.readouterr().out) == {"a": "\x1b\x9b"}

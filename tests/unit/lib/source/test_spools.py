"""Archives from stdin, as they come: at once, in pieces, never."""

import os
import sys
import threading

import pytest

from lib.base import properties
from lib.base.errors import DokkuError
from lib.source import spools


@pytest.fixture
def piped(monkeypatch):
    """A pipe for stdin; its other end."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with os.fdopen(writing, "wb", buffering=0) as other:
            yield other


def test_what_comes_in_pieces_is_stored_whole(piped, tmp_path):
    data = os.urandom(3_000_000)

    def write():
        for at in range(0, len(data), 70_001):
            piped.write(data[at : at + 70_001])
        piped.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert spools.copy_stdin(str(tmp_path / "archive")) == len(data)
    writer.join()
    assert (tmp_path / "archive").read_bytes() == data


def test_nothing_is_an_empty_archive(piped, tmp_path):
    """IO-2"""
    piped.close()
    with pytest.raises(DokkuError, match="Empty archive"):
        spools.copy_stdin(str(tmp_path / "archive"))


def test_a_stall_has_an_end(piped, tmp_path):
    """IO-3"""
    piped.write(b"some")
    with pytest.raises(DokkuError, match=r"Nothing on STDIN for 0\.05 seconds, giving up"):
        spools.copy_stdin(str(tmp_path / "archive"), patience=0.05)


def test_patience_is_five_minutes():
    """IO-3"""
    assert spools.PATIENCE == 300


def test_no_more_is_stored_than_may_be(piped, tmp_path):
    """ARC-8"""
    properties.write("git", "--global", "archive-max-size", "1000")
    piped.write(bytes(1001))
    with pytest.raises(DokkuError, match="Archive exceeds maximum allowed size of 1000 bytes"):
        spools.copy_stdin(str(tmp_path / "archive"))
    assert (tmp_path / "archive").stat().st_size <= 1000


def test_a_terminal_is_no_archive(monkeypatch, tmp_path):
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "rb", buffering=0) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(DokkuError, match="Expecting archive on STDIN"):
            spools.copy_stdin(str(tmp_path / "archive"))
    os.close(ours)


def test_a_place_that_can_not_be_written_is_told(piped, tmp_path):
    piped.write(b"x")
    with pytest.raises(DokkuError, match="Unable to store the archive: No such file or directory"):
        spools.copy_stdin(str(tmp_path / "none/archive"))

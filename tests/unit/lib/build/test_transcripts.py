"""What a build said, on a real disk: whole, cut at its middle, and followed."""

import os
import stat
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.base import log
from lib.build import transcripts


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "1.log")
    transcripts.begin(path)
    return path


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(transcripts, "LIMIT", 4000)
    monkeypatch.setattr(transcripts, "EDGE", 1000)


def content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def shown(work) -> bytes:
    with log.collected() as said:
        work()
    return b"".join(data for _, data in said)


def test_all_that_is_written_is_kept_and_only_we_may_read_it(path):
    with transcripts.written(path) as write:
        write(b"one\n")
        assert content(path) == b"one\n"
        write(b"two\x1b[0m\xff\n")
    assert content(path) == b"one\ntwo\x1b[0m\xff\n"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert shown(lambda: transcripts.show(path)) == content(path)


def test_a_second_transcript_does_not_take_the_place_of_a_first(path):
    with pytest.raises(FileExistsError):
        transcripts.begin(path)


def test_one_that_is_gone_shows_nothing(tmp_path):
    assert shown(lambda: transcripts.show(str(tmp_path / "none"))) == b""
    assert shown(lambda: transcripts.follow(str(tmp_path / "none"), lambda: False)) == b""


@settings(max_examples=40)
@given(st.lists(st.integers(1, 3000), max_size=12))
def test_of_much_the_beginning_and_the_end_stay_and_the_gap_is_counted(tmp_path_factory, sizes):
    place = str(tmp_path_factory.mktemp("logs") / "1.log")
    transcripts.begin(place)
    data = b"".join(b"%06d\n" % number for number in range(6000))
    pieces = [data[sum(sizes[:at]) : sum(sizes[: at + 1])] for at in range(len(sizes))]
    said = b"".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcripts, "LIMIT", 4000)
        patch.setattr(transcripts, "EDGE", 1000)
        with transcripts.written(place) as write:
            for piece in pieces:
                write(piece)
    kept = content(place)
    assert len(kept) <= 4000
    if b"left out" not in kept:
        assert kept == said
        return
    head, gap, tail = kept[:1000], kept[1000:].split(b"\n", 2)[1], kept[1000:].split(b"\n", 2)[2]
    assert said.startswith(head)
    assert said.endswith(tail)
    assert len(tail) >= 1000
    assert int(gap.split()[1]) == len(said) - len(head) - len(tail)


def test_a_follower_gets_everything_up_to_the_end(path):
    pieces = [b"%d\n" % number for number in range(200)]
    ended = threading.Event()
    seen = []

    def follow():
        seen.append(shown(lambda: transcripts.follow(path, ended.is_set)))

    with transcripts.written(path) as write:
        follower = threading.Thread(target=follow)
        follower.start()
        for piece in pieces:
            write(piece)
    ended.set()
    follower.join()
    assert seen == [b"".join(pieces)]


def test_a_follower_goes_on_in_a_transcript_that_was_shortened(path, small):
    """Each question whether it is over comes after a look at the file, and before the next."""
    with transcripts.written(path) as write:
        steps = iter([b"a" * 3000, b"b" * 900 + b"c" * 300, b"d" * 50])

        def is_over():
            data = next(steps, None)
            if data is not None:
                write(data)
            return data is None

        seen = shown(lambda: transcripts.follow(path, is_over))
    assert seen == b"a" * 3000 + b"b" * 900 + b"c" * 300 + b"d" * 50
    assert b"left out" in content(path)


def test_a_full_disk_ends_the_transcript_with_a_note(path, monkeypatch):
    real, room = os.write, [10_000]

    def write_where_there_is_room(descriptor, data):
        if room[0] < len(data):
            raise OSError(28, "No space left on device")
        room[0] -= len(data)
        return real(descriptor, data)

    with transcripts.written(path) as write:
        write(b"x" * 9_000)
        monkeypatch.setattr(os, "write", write_where_there_is_room)
        room[0] = 500
        write(b"y" * 1_000)
        write(b"z" * 1_000)
        monkeypatch.undo()
    kept = content(path)
    assert kept.startswith(b"x" * 8_000)
    assert kept.endswith(b" !     The rest could not be kept: No space left on device\n")
    assert len(kept) == 9_000


def test_room_is_made_by_giving_up_the_second_half(path):
    with transcripts.written(path) as write:
        write(b"a" * 1000 + b"b" * 1000)
    transcripts.give_room(path)
    note = b"\n !     The rest could not be kept: No space left on device\n"
    assert content(path) == b"a" * (1000 - len(note)) + note
    transcripts.give_room(path + "x")

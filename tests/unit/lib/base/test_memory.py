import os

import pytest

from lib.base import memory


@pytest.mark.parametrize("text", [b"", b"x", b"\0\xff" * 3_000_000])
def test_what_was_put_in_is_read_from_the_start(text: bytes) -> None:
    with memory.file(text) as descriptor:
        assert os.read(descriptor, 10) == text[:10]
        assert memory.content(descriptor) == text


def test_what_was_written_is_the_content() -> None:
    with memory.file() as descriptor:
        os.write(descriptor, b"a")
        assert memory.content(descriptor) == b"a"
        os.write(descriptor, b"b")
        assert memory.content(descriptor) == b"ab"


def test_nothing_stays_open() -> None:
    with memory.file(b"x") as descriptor:
        pass
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)

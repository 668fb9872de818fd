import os

import pytest

from lib.base import memory


@pytest.mark.parametrize("text", [b"", b"a\n", b"x" * 300_000])
def test_a_file_has_its_content_from_the_start(text: bytes) -> None:
    with memory.file(text) as descriptor:
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 0
        assert os.pread(descriptor, len(text) + 1, 0) == text


def test_a_file_goes_with_its_block() -> None:
    with memory.file(b"x") as descriptor:
        pass
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(descriptor)

"""Files without a name that live in memory: what programs read from us, and what they say to us."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def file(content: bytes = b"") -> Iterator[int]:
    """The descriptor of a file that holds content, at its start."""
    descriptor = os.memfd_create("dokku")
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def content(descriptor: int) -> bytes:
    """All that was written to a file up to now."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    os.lseek(descriptor, 0, os.SEEK_SET)
    chunks = []
    while size > 0:
        chunk = os.read(descriptor, size)
        if not chunk:
            break
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)

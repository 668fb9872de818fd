"""Files without a name that live in memory: what programs read from us."""

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

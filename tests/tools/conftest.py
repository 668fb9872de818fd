"""What the tests of archives share: an app, its repository, and what was written on the way."""

import os
import subprocess
import sys

import pytest

from lib.base import log, settings
from lib.source import archives, commits

APP = "blog"


@pytest.fixture
def said():
    """What the code under test writes: pairs of stream and bytes."""
    with log.collected() as lines:
        yield lines


@pytest.fixture
def told(said):
    """What was said on stdout."""
    return lambda: b"".join(data for stream, data in said if stream == 1).decode()


@pytest.fixture
def committed(monkeypatch, tmp_path, said):
    """Unpack an archive from stdin and commit it; what git has then: mode and content by path."""
    os.makedirs(settings.app_dir(APP), exist_ok=True)

    def commit(data, type_="tar"):
        (tmp_path / "stdin").write_bytes(data)
        with open(tmp_path / "stdin", "rb") as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            with archives.unpacked("--", type_) as tree:
                return _tree_of(commits.commit_directory(APP, tree))

    return commit


@pytest.fixture
def left_over():
    """What is still there of what should be gone."""
    return lambda: [name for name in os.listdir(settings.temporary()) if name != "locks"]


def _tree_of(commit):
    found = {}
    for line in _git("ls-tree", "-r", "-z", commit).split(b"\0")[:-1]:
        words, name = line.split(b"\t", 1)
        mode, _, blob = words.decode().split()
        found[os.fsdecode(name)] = (mode, blob)
    blobs = list(dict.fromkeys(blob for _, blob in found.values()))
    contents = dict(zip(blobs, _contents(blobs), strict=True))
    return {name: (mode, contents[blob]) for name, (mode, blob) in found.items()}


def _contents(blobs):
    output = _git("cat-file", "--batch", input="".join(f"{blob}\n" for blob in blobs).encode())
    for _ in blobs:
        head, output = output.split(b"\n", 1)
        size = int(head.split()[2])
        yield output[:size]
        output = output[size + 1 :]


def _git(*words, input=b""):
    argv = ["git", f"--git-dir={settings.app_dir(APP)}", *words]
    return subprocess.run(argv, input=input, capture_output=True, check=True).stdout

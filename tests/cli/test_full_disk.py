"""A disk without room: what is refused leaves everything as it was; destroying an app makes some."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archives import GOOD, archive, member
from tests.cli.conftest import Dokku

FULL = "No space left on device"


def _may_mount(place: Path) -> bool:
    words = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(place)]
    return os.geteuid() == 0 and subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Dokku]:
    """An instance with an app, on a small disk of its own that is full."""
    place = tmp_path / "disk"
    place.mkdir()
    if not _may_mount(place):
        pytest.skip("no disk can be mounted here")
    try:
        dokku = Dokku(place)
        dokku.make_app("blog")
        assert dokku("config:set", "--no-restart", "blog", "A=1").code == 0
        assert dokku("apps:locked", "blog").code == 1
        fill(place)
        yield dokku
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> None:
    with open(place / "filler", "ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 512)


def state(dokku: Dokku) -> dict[str, bytes]:
    paths = [path for top in (dokku.root, dokku.lib) for path in top.rglob("*") if path.is_file()]
    return {
        str(path): path.read_bytes() for path in paths if "locks" not in path.parts and path.name[0] != "."
    }


@pytest.mark.parametrize(
    ("words", "data"),
    [
        (("apps:create", "other"), None),
        (("config:set", "--no-restart", "blog", "B=2"), None),
        (("apps:lock", "blog"), None),
        (("git:set", "blog", "deploy-branch", "main"), None),
        (("git:auth", "git.example.com", "me", "secret"), None),
        (("git:from-archive", "blog", "--"), archive(GOOD, member("large", bytes(100_000)))),
        (("apps:clone", "blog", "copy"), None),
        (("apps:rename", "blog", "copy"), None),
    ],
)
def test_what_finds_no_room_says_so_and_changes_nothing(
    full: Dokku, words: tuple[str, ...], data: bytes | None
) -> None:
    """NET-4, CRS-1, ENV-1"""
    before, apps = state(full), sorted(os.listdir(full.root))
    said = full(*words, input=data)
    assert said.code != 0
    assert FULL in said.err
    assert "Traceback" not in said.err
    assert state(full) == before
    assert sorted(os.listdir(full.root)) == apps
    assert not [name for name in os.listdir(full.lib / "tmp") if name != "locks"]


def test_reading_needs_no_room(full: Dokku) -> None:
    """ENV-1"""
    assert full("config:get", "blog", "A").out == "1\n"
    assert full("apps:list").out == "=====> My Apps\nblog\n"
    for words in (("apps:report", "blog"), ("git:report", "blog"), ("apps:exists", "blog"), ("ps:retire",)):
        said = full(*words)
        assert (said.err, said.code) == ("", 0)


def test_an_app_can_be_destroyed_to_make_room(full: Dokku) -> None:
    """ENV-1"""
    said = full("--force", "apps:destroy", "blog")
    assert (said.err, said.code) == ("", 0)
    assert os.listdir(full.root) == []
    assert full("apps:create", "blog").code == 0


def test_what_found_no_room_works_once_there_is_some(full: Dokku) -> None:
    """ENV-1"""
    assert full("apps:create", "other").code != 0
    os.unlink(full.root.parent / "filler")
    assert full("apps:create", "other") == ("-----> Creating other...\n", "", 0)
    assert full("config:set", "--no-restart", "blog", "B=2").code == 0
    assert full("config:get", "blog", "B").out == "2\n"

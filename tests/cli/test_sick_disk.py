"""A disk that can't be written, or takes no more files: what is refused leaves everything as it was."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archives import GOOD, archive
from tests.cli.conftest import Dokku

READ_ONLY, FULL = "Read-only file system", "No space left on device"
CHANGES = [
    (("apps:create", "other"), None),
    (("config:set", "--no-restart", "blog", "B=2"), None),
    (("domains:add", "blog", "b.test"), None),
    (("ps:scale", "--skip-deploy", "blog", "web=2"), None),
    (("apps:lock", "blog"), None),
    (("git:set", "blog", "deploy-branch", "main"), None),
    (("git:auth", "git.example.com", "me", "secret"), None),
    (("git:from-archive", "blog", "--"), archive(GOOD)),
    (("apps:rename", "blog", "copy"), None),
]


def _mount(place: Path, *words: str) -> bool:
    argv = ["mount", "-o", ",".join(words), *(["-t", "tmpfs", "tmpfs"] if words[0] != "remount" else [])]
    return subprocess.run([*argv, str(place)], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Dokku]:
    """An instance with an app, on a small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or not _mount(place, "size=20m", "nr_inodes=400"):
        pytest.skip("no disk can be mounted here")
    try:
        dokku = Dokku(place)
        dokku.make_app("blog")
        assert dokku("config:set", "--no-restart", "blog", "A=1").code == 0
        yield dokku
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def state(dokku: Dokku) -> dict[str, bytes]:
    paths = [path for top in (dokku.root, dokku.lib) for path in top.rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in paths if "locks" not in path.parts}


def assert_refused(dokku: Dokku, words: tuple[str, ...], data: bytes | None, reason: str) -> None:
    before, apps = state(dokku), sorted(os.listdir(dokku.root))
    said = dokku(*words, input=data)
    assert said.code != 0, words
    assert reason in said.err, (words, said)
    assert "Traceback" not in said.err
    assert not any(name in said.err for name in ("OSError", "PermissionError"))
    assert state(dokku) == before, words
    assert sorted(os.listdir(dokku.root)) == apps, words


def test_a_read_only_disk_is_named_and_reading_goes_on(disk: Dokku) -> None:
    """LCK-10, ENV-2"""
    assert _mount(disk.root.parent, "remount", "ro")
    for words, data in CHANGES:
        assert_refused(disk, words, data, READ_ONLY)
    assert disk("config:get", "blog", "A") == ("1\n", "", 0)
    for words in (("apps:list",), ("apps:report", "blog"), ("ps:report", "blog"), ("git:report", "blog")):
        assert disk(*words).code == 0, words
    assert _mount(disk.root.parent, "remount", "rw")
    assert disk("config:set", "--no-restart", "blog", "B=2").code == 0


def test_a_disk_without_room_for_another_file_is_named(disk: Dokku) -> None:
    """ENV-2"""
    filler = disk.root.parent / "filler"
    filler.mkdir()
    with contextlib.suppress(OSError):
        for number in range(1000):
            (filler / str(number)).touch()
    for words, data in CHANGES:
        assert_refused(disk, words, data, FULL)
    assert disk("config:get", "blog", "A") == ("1\n", "", 0)
    for path in filler.iterdir():
        path.unlink()
    assert disk("apps:create", "other").code == 0
    assert disk("config:set", "--no-restart", "blog", "B=2").code == 0

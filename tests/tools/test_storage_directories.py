"""Giving directories away, on a real file system: nothing outside is touched, whatever links there are."""

import os
import pwd
from pathlib import Path

import pytest

from lib.base import settings
from lib.base.errors import DokkuError
from lib.host import storage_directories

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
OWNER = 32767


@pytest.fixture
def place() -> Path:
    """The directory `app` below data/storage."""
    made = Path(settings.lib(), "data", "storage", "app")
    made.mkdir(parents=True)
    return made


def owner_of(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid


def test_all_that_is_in_a_directory_goes_to_the_new_owner(place: Path) -> None:
    (place / "a/b").mkdir(parents=True)
    (place / "a/b/file").write_text("x")
    storage_directories.own("app", OWNER)
    assert {owner_of(path) for path in (place, *place.rglob("*"))} == {(OWNER, OWNER)}
    assert owner_of(place.parent) == (0, 0)


def test_what_a_link_leads_to_stays_whose_it_was(place: Path, tmp_path: Path) -> None:
    """PRV-4"""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    (place / "directory").symlink_to(outside)
    (place / "file").symlink_to(outside / "file")
    storage_directories.own("app", OWNER)
    assert (owner_of(outside), owner_of(outside / "file")) == ((0, 0), (0, 0))
    assert owner_of(place / "file") == (OWNER, OWNER)


@pytest.mark.parametrize("part", ["data", "data/storage", "data/storage/app"])
def test_a_link_in_place_of_a_directory_is_refused(place: Path, tmp_path: Path, part: str) -> None:
    """PRV-4"""
    linked = Path(settings.lib(), part)
    linked.rename(tmp_path / "moved")
    linked.symlink_to(tmp_path / "moved")
    with pytest.raises(DokkuError):
        storage_directories.own("app", OWNER)
    assert all(owner_of(path) == (0, 0) for path in (tmp_path / "moved").rglob("*"))
    assert owner_of(tmp_path / "moved") == (0, 0)


def test_a_directory_that_is_not_there_is_refused(place: Path) -> None:
    with pytest.raises(DokkuError):
        storage_directories.own("other", OWNER)


def test_the_directory_above_goes_back_to_the_system_user_alone(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOKKU_SYSTEM_USER", "nobody")
    os.chown(place.parent, 4711, 0)
    storage_directories.own_top()
    assert owner_of(place.parent) == (pwd.getpwnam("nobody").pw_uid, 0)
    assert owner_of(place) == (0, 0)

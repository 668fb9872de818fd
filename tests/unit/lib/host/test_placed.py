from pathlib import Path
from typing import Any

import pytest

from lib.base.errors import DokkuError
from lib.host import placed


def test_a_file_is_written_with_its_mode_and_said(fs: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert placed.file("/etc/new/thing", "text\n", 0o440)
    assert Path("/etc/new/thing").read_text() == "text\n"
    assert Path("/etc/new/thing").stat().st_mode & 0o7777 == 0o440
    assert capfd.readouterr().out == "       Wrote /etc/new/thing\n"


def test_a_file_that_is_right_is_left_alone_in_silence(fs: Any, capfd: pytest.CaptureFixture[str]) -> None:
    placed.file("/etc/thing", "text\n")
    before = Path("/etc/thing").stat().st_ino
    capfd.readouterr()
    assert not placed.file("/etc/thing", "text\n")
    assert Path("/etc/thing").stat().st_ino == before
    assert capfd.readouterr().out == ""


def test_a_wrong_mode_is_mended(fs: Any) -> None:
    placed.file("/etc/thing", "text\n", 0o666)
    assert placed.file("/etc/thing", "text\n", 0o600)
    assert Path("/etc/thing").stat().st_mode & 0o7777 == 0o600


def test_a_link_in_place_of_a_file_is_not_written_through(fs: Any) -> None:
    fs.create_file("/etc/victim", contents="mine")
    fs.create_symlink("/etc/thing", "/etc/victim")
    placed.file("/etc/thing", "text\n")
    assert Path("/etc/victim").read_text() == "mine"
    assert not Path("/etc/thing").is_symlink()


def test_a_file_that_fails_its_check_never_goes_live(fs: Any) -> None:
    fs.create_file("/etc/thing", contents="old")

    def refuse(path: str) -> None:
        assert Path(path).read_text() == "new"
        raise DokkuError("no")

    with pytest.raises(DokkuError):
        placed.file("/etc/thing", "new", check=refuse)
    assert Path("/etc/thing").read_text() == "old"
    assert [path.name for path in Path("/etc").iterdir()] == ["thing"]


def test_a_first_file_keeps_what_its_owner_made_of_it(fs: Any) -> None:
    placed.first_file("/etc/default/dokku", "# nothing\n")
    Path("/etc/default/dokku").write_text("export DOKKU_ROOT=/srv\n")
    assert not placed.first_file("/etc/default/dokku", "# nothing\n")
    assert Path("/etc/default/dokku").read_text() == "export DOKKU_ROOT=/srv\n"


def test_a_directory_gets_its_mode_whatever_the_umask(fs: Any) -> None:
    assert placed.directory("/srv/new/place", 0o775)
    assert Path("/srv/new/place").stat().st_mode & 0o7777 == 0o775
    assert not placed.directory("/srv/new/place", 0o775)


def test_a_file_where_a_directory_belongs_is_refused(fs: Any) -> None:
    fs.create_file("/srv/place")
    with pytest.raises(DokkuError, match="not a directory"):
        placed.directory("/srv/place")


def test_a_link_replaces_what_was_there(fs: Any) -> None:
    fs.create_file("/usr/bin/thing", contents="old")
    assert placed.link("/usr/bin/thing", "/opt/thing")
    assert Path("/usr/bin/thing").readlink() == Path("/opt/thing")
    assert not placed.link("/usr/bin/thing", "/opt/thing")


def test_gone_takes_files_links_and_directories(fs: Any) -> None:
    fs.create_file("/a/b/c")
    fs.create_symlink("/link", "/a")
    assert placed.gone("/link")
    assert Path("/a/b/c").exists()
    assert placed.gone("/a")
    assert not placed.gone("/a")


def test_a_failure_puts_files_and_links_back(fs: Any) -> None:
    fs.create_file("/etc/changed", contents="old")
    fs.create_symlink("/etc/link", "/etc/changed")
    paths = ("/etc/changed", "/etc/link", "/etc/added")

    def change_and_fail() -> None:
        with placed.restored_on_failure(*paths):
            placed.file("/etc/changed", "new")
            placed.gone("/etc/link")
            placed.file("/etc/added", "new")
            raise DokkuError("no")

    with pytest.raises(DokkuError):
        change_and_fail()
    assert Path("/etc/changed").read_text() == "old"
    assert Path("/etc/link").readlink() == Path("/etc/changed")
    assert not Path("/etc/added").exists()


def test_without_a_failure_everything_stays_changed(fs: Any) -> None:
    fs.create_file("/etc/changed", contents="old")
    with placed.restored_on_failure("/etc/changed"):
        placed.file("/etc/changed", "new")
    assert Path("/etc/changed").read_text() == "new"

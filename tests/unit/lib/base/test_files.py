import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.base import files

PATH = "/srv/state/ENV"


def modes(path: str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_a_file_that_is_not_there_reads_as_the_default(fs: Any) -> None:
    assert files.read(PATH) == ""
    assert files.read(PATH, "x") == "x"
    assert files.read_lines(PATH) == []
    fs.create_file("/srv/file")
    assert files.read("/srv/file/below") == ""


def test_what_was_written_is_read(fs: Any) -> None:
    files.replace(PATH, "a\r\nb\xa0\udcff")
    assert files.read(PATH) == "a\r\nb\xa0\udcff"
    files.replace(PATH, b"\x00\xff")
    assert files.read(PATH) == "\x00\udcff"


def test_lines_are_read_without_blanks_around_and_without_empty_ones(fs: Any) -> None:
    files.replace(PATH, " a \n\n\tb c\r\n")
    assert files.read_lines(PATH) == ["a", "b c"]


def test_a_new_file_is_private_and_its_directories_are_not(fs: Any) -> None:
    """PRV-8"""
    files.replace(PATH, "x")
    assert (modes(PATH), modes("/srv/state"), modes("/srv")) == (0o600, 0o755, 0o755)


def test_the_mode_is_the_one_asked_for_whatever_was_there(fs: Any) -> None:
    """PRV-8"""
    fs.create_file(PATH, st_mode=0o100777)
    files.replace(PATH, "x", 0o644)
    assert modes(PATH) == 0o644


def test_an_umask_changes_nothing(fs: Any) -> None:
    """PRV-8"""
    before = os.umask(0o077)
    try:
        files.replace(PATH, "x", 0o644)
    finally:
        os.umask(before)
    assert (modes(PATH), modes("/srv/state")) == (0o644, 0o755)


def test_a_link_is_replaced_and_its_target_stays(fs: Any) -> None:
    fs.create_file("/treasure", contents="gold")
    fs.create_symlink(PATH, "/treasure")
    files.replace(PATH, "x")
    assert files.read("/treasure") == "gold"
    assert not os.path.islink(PATH)


def test_a_full_disk_leaves_the_old_content_and_nothing_else(fs: Any) -> None:
    """CRS-1, ENV-1"""
    files.replace(PATH, "old")
    fs.set_disk_usage(10, "/")
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        files.replace(PATH, "new" * 100)
    assert files.read(PATH) == "old"
    assert os.listdir("/srv/state") == ["ENV"]


def test_a_target_that_is_a_directory_is_an_error_that_leaves_nothing(fs: Any) -> None:
    fs.create_dir(PATH)
    with pytest.raises(OSError, match=os.strerror(errno.EISDIR)):
        files.replace(PATH, "x")
    assert os.listdir("/srv/state") == ["ENV"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Zl", "Zp", "Cc"]), min_size=1).filter(
            lambda t: t == t.strip()
        )
    )
)
def test_lines_come_back(fs: Any, lines: list[str]) -> None:
    files.replace_lines(PATH, lines)
    assert files.read_lines(PATH) == lines


def test_anything_can_be_removed(fs: Any) -> None:
    files.replace("/srv/tree/a/b", "x")
    fs.create_symlink("/srv/link", "/srv/tree")
    files.remove("/srv/link")
    assert files.read("/srv/tree/a/b") == "x"
    files.remove("/srv/tree/a/b")
    files.remove("/srv/tree")
    files.remove("/srv/tree")
    files.remove("/srv/nothing/here")
    assert os.listdir("/srv") == []


def test_what_a_killed_writer_left_goes_with_the_next_change(fs: Any) -> None:
    place = os.environ["DOKKU_ROOT"]
    old, young = (os.path.join(place, f"..netrc.{number}.ab") for number in (1, 2))
    for path in (old, young):
        files.replace(path, "secret")
    os.utime(old, (0, 0))
    with files.locked(os.path.join(place, ".netrc")):
        assert os.listdir(place) == [os.path.basename(young)]  # of which nobody knows whose it is


def test_directories_have_the_mode_asked_for(fs: Any) -> None:
    files.make_directory("/srv/a/b", 0o700)
    files.make_directory("/srv/a/b", 0o755)
    assert (modes("/srv/a"), modes("/srv/a/b")) == (0o700, 0o700)


@pytest.mark.parametrize("name", ["Procfile", "sub/Procfile", "./Procfile"])
def test_a_file_of_an_untrusted_tree_is_read(fs: Any, name: str) -> None:
    fs.create_file(os.path.join("/tree", name), contents="web: x")
    assert files.read_beneath("/tree", name) == "web: x"


def test_a_link_inside_an_untrusted_tree_is_followed(fs: Any) -> None:
    fs.create_file("/tree/real", contents="x")
    fs.create_symlink("/tree/link", "real")
    assert files.read_beneath("/tree", "link") == "x"


@pytest.mark.parametrize("target", ["/etc/shadow", "../etc/shadow", "../treebeard/x"])
def test_a_link_out_of_an_untrusted_tree_leads_nowhere(fs: Any, target: str) -> None:
    """GIT-9"""
    fs.create_file("/etc/shadow", contents="secret")
    fs.create_file("/treebeard/x", contents="secret")
    fs.create_symlink("/tree/link", target)
    fs.create_symlink("/tree/up", "..")
    assert files.read_beneath("/tree", "link") is None
    assert files.read_beneath("/tree", "up/etc/shadow") is None
    assert files.read_beneath("/tree", target) is None


def test_what_is_no_file_in_an_untrusted_tree_is_nothing(fs: Any) -> None:
    """GIT-9"""
    fs.create_dir("/tree/dir")
    assert files.read_beneath("/tree", "dir") is None
    assert files.read_beneath("/tree", "absent") is None


def test_a_file_above_the_limit_is_not_read(fs: Any) -> None:
    """GIT-9"""
    fs.create_file("/tree/big", contents="x" * 11)
    assert files.read_beneath("/tree", "big", limit=10) is None
    assert files.read_beneath("/tree", "big", limit=11) == "x" * 11


@pytest.mark.parametrize("lasting", [True, False])
def test_only_what_is_to_last_is_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lasting: bool
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    files.replace(str(tmp_path / "one"), "text", lasting=lasting)
    files.remove(str(tmp_path / "one"), lasting=lasting)
    assert bool(flushed) is lasting
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_that_is_roots_is_replaced_where_the_directory_is_ours(
    monkeypatch: pytest.MonkeyPatch, fs: Any
) -> None:
    fs.create_file("/locks/x", contents="root's")
    os.chown("/locks/x", os.geteuid() + 1, -1)
    real, denials = os.open, [PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/locks/x")]

    def opened(*words: Any) -> int:
        if denials:
            raise denials.pop()
        return real(*words)

    monkeypatch.setattr("os.open", opened)
    os.close(files.open_lock("/locks/x", os.O_RDWR | os.O_CREAT))
    assert os.stat("/locks/x").st_size == 0

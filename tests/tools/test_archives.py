"""Archives made header by header, unpacked by real tar and committed by real git."""

import gzip
import os
import shutil
import sys
import tarfile

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lib.base import properties, settings
from lib.base.errors import DokkuError
from lib.source import archives, tar_members
from lib.source.members import Member
from tests.archives import END, GOOD, HELLO, REFUSED, TAKEN, archive, member, symlink

APP = "blog"
pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or shutil.which("tar") is None, reason="there is no git or no tar"
)
with_files = hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30
)


@pytest.mark.parametrize("name", TAKEN)
def test_an_archive_becomes_exactly_its_tree(committed, left_over, name):
    """GIT-16, ARC-4, ARC-5, ARC-7, ARC-9, ARC-10, ARC-11, ARC-16"""
    assert committed(TAKEN[name].data) == TAKEN[name].tree
    assert left_over() == []


@pytest.mark.parametrize("name", REFUSED)
def test_an_archive_is_refused_with_its_reason_and_leaves_nothing(committed, left_over, name):
    """ARC-1, ARC-2, ARC-3, ARC-4, ARC-5, ARC-6, ARC-8, ARC-10, ARC-11, ARC-12"""
    with pytest.raises(DokkuError) as refused:
        committed(REFUSED[name].data)
    assert REFUSED[name].text in refused.value.text
    assert refused.value.exit_code == 1
    assert not any(ord(character) < 32 for character in refused.value.text)
    assert left_over() == []
    assert not os.path.exists(os.path.join(settings.app_dir(APP), "refs"))


def test_compression_is_known_by_the_archive_and_not_by_its_announcement(committed):
    """ARC-14"""
    assert committed(TAKEN["compressed"].data, "tar") == HELLO
    assert committed(GOOD + END, "tar.gz") == HELLO


def test_the_size_of_the_archive_is_limited(committed):
    """ARC-8"""
    properties.write("git", "--global", "archive-max-size", "2047")
    with pytest.raises(DokkuError, match="Archive exceeds maximum allowed size of 2047 bytes"):
        committed(archive(GOOD))
    properties.write("git", "--global", "archive-max-size", "2048")
    assert committed(archive(GOOD)) == HELLO


def test_the_size_of_the_content_is_limited(committed):
    """ARC-8"""
    properties.write("git", "--global", "archive-max-size", "99999")
    with pytest.raises(DokkuError, match="Archive exceeds maximum allowed size of 99999 bytes"):
        committed(gzip.compress(archive(GOOD, member("b", b"x" * 99_995))))


def test_the_number_of_entries_is_limited(committed):
    """ARC-8"""
    properties.write("git", "--global", "archive-max-files", "3")
    assert committed(archive(*(member(name, b"") for name in "abc"))).keys() == {"a", "b", "c"}
    with pytest.raises(DokkuError, match="Archive contains 4 entries which exceeds the maximum of 3"):
        committed(archive(*(member(name, b"") for name in "abcd")))


def test_the_members_of_a_large_archive_are_all_there(committed):
    names = [f"d{number % 50}/f{number}" for number in range(9_900)]
    assert committed(archive(*(member(name, b"") for name in names))).keys() == set(names)


def test_what_is_done_is_told(committed, told):
    data = archive(member("top/index.html", b"hello"))
    committed(data)
    assert told() == (
        f"-----> Fetching tar file from stdin\n{len(data)}\n-----> Generating build context\n"
        "       Striping 1 worth of directories from tarball\n"
        "       Moving unarchived files and folders into place\n"
    )


def test_what_is_dropped_is_told_without_control_characters(committed, said):
    """IO-10"""
    committed(archive(GOOD, member("a/.git/x", b"")))
    assert (2, b" !     Dropping a/.git from the archive\n") in said


def test_headers_that_tar_does_not_know_are_no_noise(committed, capfd):
    info = tarfile.TarInfo("index.html")
    info.size, info.pax_headers = 5, {"LIBARCHIVE.creationtime": "1.5", "SCHILY.fflags": "x"}
    data = info.tobuf(tarfile.PAX_FORMAT) + b"hello" + bytes(507)
    assert committed(archive(data)) == HELLO
    assert capfd.readouterr() == ("", "")


def test_a_member_that_only_tar_sees_is_refused(committed, left_over, monkeypatch):
    """As if the judge and tar read an archive differently: what is on disk has the last word."""
    data = archive(GOOD, symlink("evil", "index.html"))
    monkeypatch.setattr(tar_members, "listed", lambda *_: {"index.html": Member("file", 5)})
    with pytest.raises(DokkuError, match="Archive contains something else than its headers say"):
        committed(data)
    assert left_over() == []


def test_a_terminal_is_no_archive(monkeypatch):
    """IO-1"""
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "rb", buffering=0) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(DokkuError, match="Expecting archive on STDIN"), archives.unpacked("--", "tar"):
            pass
    os.close(ours)


NAMES = st.text(alphabet="ab.-~ 'ä", min_size=1, max_size=4).filter(lambda part: part.strip(".") != "")
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


def _is_consistent(paths):
    parents = {"/".join(path.split("/")[:depth]) for path in paths for depth in range(1, path.count("/") + 1)}
    return not parents & set(paths)


@with_files
@given(
    st.dictionaries(PATHS, st.binary(max_size=600), min_size=1, max_size=6).filter(_is_consistent),
    st.booleans(),
)
def test_any_files_arrive_as_they_were_sent(committed, files, prefixed):
    shutil.rmtree(settings.app_dir(APP))
    os.makedirs(settings.app_dir(APP))
    prefix = "./" if prefixed else ""
    tree = committed(archive(*(member(prefix + name, content) for name, content in files.items())))
    tops = {name.split("/")[0] for name in files}
    strip = len(tops) == 1 and all("/" in name for name in files)
    expected = {name.split("/", 1)[1] if strip else name: content for name, content in files.items()}
    assert {name: content for name, (_, content) in tree.items()} == expected

"""Judging tar archives without extracting them: any bytes are refused or listed."""

import gzip

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lib.base.errors import ArchiveRejected
from lib.source import tar_members
from lib.source.limits import Limits
from lib.source.members import DIRECTORY, Member
from tests.archives import END, GOOD, archive, directory, hard_link, member, symlink

LIMITS = Limits(size=10_000, files=10)
with_files = hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150
)


@pytest.fixture
def listed(fs):
    """What is judged to be in an archive."""

    def judge(data, compressed=False, limits=LIMITS):
        with open("/archive", "wb") as file:
            file.write(data)
        return tar_members.listed("/archive", compressed, limits)

    return judge


def test_every_member_is_listed_with_what_it_is(listed):
    data = archive(GOOD, directory("d/"), symlink("d/l", "../index.html"), member("e/f", b"12"))
    expected = {
        "index.html": Member("file", 5),
        "d": DIRECTORY,
        "d/l": Member("link", target="../index.html"),
        "e": DIRECTORY,
        "e/f": Member("file", 2),
    }
    assert listed(data) == expected
    assert listed(gzip.compress(data), compressed=True) == expected


def test_a_hard_link_is_a_file_as_large_as_the_other(listed):
    assert listed(archive(GOOD, hard_link("b", "index.html")))["b"] == Member("file", 5)


def test_hard_links_count_as_what_they_link_to(listed):
    """Git reads each of them: ten names for half of the limit are five times the limit."""
    links = [hard_link(f"l{number}", "big") for number in range(3)]
    with pytest.raises(ArchiveRejected, match="exceeds maximum allowed size of 10000 bytes"):
        listed(archive(member("big", bytes(3_000)), *links))


@pytest.mark.parametrize("head", [GOOD[:512], bytes(512), member("BZh", b"")])
def test_a_tar_archive_is_known_by_its_first_header(head):
    assert tar_members.starts_here(head)


@pytest.mark.parametrize("head", [b"", b"x" * 512, gzip.compress(GOOD, mtime=0), b"PK\3\4" * 128])
def test_other_bytes_are_no_header(head):
    assert not tar_members.starts_here(head)


@with_files
@given(st.binary(max_size=1500), st.booleans())
def test_garbage_is_refused(listed, data, compressed):
    with pytest.raises(ArchiveRejected):
        listed(data, compressed)


WHOLE = archive(GOOD, member("b/c", b"x" * 600), symlink("l", "b"), end=END)


@with_files
@given(st.data())
def test_headers_with_bytes_turned_over_are_refused_or_listed(listed, data):
    turned = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        turned[data.draw(st.integers(0, len(WHOLE) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = listed(bytes(turned))
    except ArchiveRejected:
        return
    assert all(".." not in name.split("/") and not name.startswith("/") for name in found)


@with_files
@given(st.data())
def test_an_archive_that_is_cut_off_is_refused(listed, data):
    with pytest.raises(ArchiveRejected):
        listed(WHOLE[: data.draw(st.integers(0, len(WHOLE) - len(END)))])

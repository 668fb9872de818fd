"""Zip archives made header by header, unpacked by real unzip and committed by real git."""

import io
import os
import shutil
import zipfile

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lib.base import properties, settings
from lib.base.errors import ArchiveRejected, DokkuError
from lib.source import zip_members
from lib.source.limits import Limits
from tests.archives import archive
from tests.zips import GOOD, HELLO, REFUSED, TAKEN, entry, streamed, zipped

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or shutil.which("unzip") is None, reason="there is no git or no unzip"
)
with_files = hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200
)
LIMITS = Limits(size=10_000_000, files=10_000)


@pytest.fixture
def listed(tmp_path):
    """What is judged to be in an archive."""

    def judge(data, limits=LIMITS):
        (tmp_path / "archive").write_bytes(data)
        return zip_members.listed(str(tmp_path / "archive"), limits)

    return judge


@pytest.mark.parametrize("name", TAKEN)
def test_an_archive_becomes_exactly_its_tree(committed, left_over, name):
    """ARC-4, ARC-7, ARC-9, ARC-10, ARC-16"""
    assert committed(TAKEN[name].data, "zip") == TAKEN[name].tree
    assert left_over() == []


@pytest.mark.parametrize("name", REFUSED)
def test_an_archive_is_refused_with_its_reason_and_leaves_nothing(committed, left_over, name):
    """ARC-1, ARC-2, ARC-3, ARC-4, ARC-6, ARC-8, ARC-10, ARC-11, ARC-12"""
    with pytest.raises(DokkuError) as refused:
        committed(REFUSED[name].data, "zip")
    assert REFUSED[name].text in refused.value.text
    assert refused.value.exit_code == 1
    assert not any(ord(character) < 32 for character in refused.value.text)
    assert left_over() == []
    assert not os.path.exists(os.path.join(settings.app_dir("blog"), "refs"))


@pytest.mark.parametrize(
    ("data", "way"),
    [
        (zipped(GOOD), "Moving unarchived files and folders into place"),
        (zipped(entry("top/x", b"")), "Stripping top-level archive folder components"),
    ],
)
def test_what_is_done_is_told(committed, told, data, way):
    committed(data, "zip")
    assert told() == (
        f"-----> Fetching zip file from stdin\n{len(data)}\n-----> Generating build context\n"
        f"       Extracting zipball\n       {way}\n"
    )


def test_the_size_of_the_content_is_limited(committed):
    """ARC-8"""
    properties.write("git", "--global", "archive-max-size", "99999")
    with pytest.raises(DokkuError, match="Archive exceeds maximum allowed size of 99999 bytes"):
        committed(zipped(entry("a", bytes(50_000)), entry("b", bytes(50_000))), "zip")
    assert committed(zipped(entry("a", bytes(50_000)), entry("b", bytes(49_999))), "zip").keys() == {"a", "b"}


def test_the_number_of_entries_is_limited(committed):
    """ARC-8"""
    properties.write("git", "--global", "archive-max-files", "3")
    with pytest.raises(DokkuError, match="Archive contains 4 entries which exceeds the maximum of 3"):
        committed(zipped(*(entry(name) for name in "abcd")), "zip")


def test_a_larger_limit_admits_more_entries_than_two_bytes_count(committed):
    properties.write("git", "--global", "archive-max-files", "70000")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for number in range(66_000):
            made.writestr(f"d{number % 50}/f{number}", b"")
    assert len(committed(data.getvalue(), "zip")) == 66_000


def test_a_bomb_is_not_inflated_beyond_what_it_claims(listed):
    """ARC-8"""
    bomb = entry("a", bytes(9_000_000), size=10)
    with pytest.raises(ArchiveRejected, match="something else than its headers say"):
        listed(zipped(bomb))


def test_variables_of_unzip_change_nothing(committed, monkeypatch):
    """RUN-5"""
    monkeypatch.setenv("UNZIP", "-j -x index.html")
    assert committed(zipped(GOOD), "zip") == HELLO


@with_files
@given(st.binary(max_size=400))
def test_garbage_is_refused(listed, data):
    with pytest.raises(ArchiveRejected):
        listed(data)


WHOLE = [
    zipped(GOOD, entry("b/c", b"x" * 300), entry("ä", b"")),
    zipped(GOOD, wide=True),
    streamed(a=b"1" * 600, b=b"2"),
]


@with_files
@given(st.sampled_from(WHOLE), st.data())
def test_bytes_turned_over_are_refused_or_make_no_difference_to_what_is_judged(listed, whole, data):
    """ARC-12.

    Names, sizes, contents are there twice. What is there once may be anything: a file becomes a link.
    """
    at = data.draw(st.integers(0, len(whole) - 1))
    turned = whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :]
    try:
        found = listed(turned)
    except ArchiveRejected:
        return
    before = listed(whole)
    sizes = {name: member.size for name, member in before.items() if found[name].kind == member.kind}
    assert {name: found[name].size for name in sizes} == sizes
    assert found.keys() == before.keys()


@with_files
@given(st.sampled_from(WHOLE), st.data())
def test_an_archive_that_is_cut_off_is_refused(listed, whole, data):
    """ARC-12"""
    with pytest.raises(ArchiveRejected):
        listed(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_other_kinds_of_archives_are_called_by_their_name(committed):
    """ARC-14"""
    with pytest.raises(DokkuError, match=r"does not look like a zip archive \(looks like TAR\)"):
        committed(archive(), "zip")

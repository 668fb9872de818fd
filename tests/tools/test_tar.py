"""The tar wrapper with real tar: what it makes of members, and what it leaves out of them."""

import gzip
import os
import shutil
import stat

import pytest

from lib.base.errors import ToolFailed
from lib.tools import tar
from tests.archives import GOOD, archive, directory, member, symlink

pytestmark = pytest.mark.skipif(shutil.which("tar") is None, reason="there is no tar")


@pytest.fixture
def extracted(tmp_path):
    """Extract an archive; the directory with its content."""

    def extract(data, name="archive"):
        (tmp_path / name).write_bytes(data)
        (tmp_path / "tree").mkdir()
        tar.extract(str(tmp_path / name), str(tmp_path / "tree"), 10_000)
        return tmp_path / "tree"

    return extract


def test_plain_and_compressed_archives_are_told_apart(extracted, tmp_path):
    assert (extracted(archive(GOOD)) / "index.html").read_bytes() == b"hello"
    shutil.rmtree(tmp_path / "tree")
    assert (extracted(gzip.compress(archive(GOOD))) / "index.html").read_bytes() == b"hello"


def test_files_belong_to_whoever_extracts_and_are_new(extracted):
    info = os.stat(extracted(archive(GOOD)) / "index.html")
    assert (info.st_uid, info.st_gid) == (os.geteuid(), os.getegid())
    assert info.st_mtime > 1_000_000_000


def test_a_directory_may_be_closed_before_its_files_come(extracted):
    tree = extracted(archive(directory("a", mode=0o500), member("a/b", b"1")))
    assert (tree / "a/b").read_bytes() == b"1"
    assert stat.S_IMODE(os.stat(tree / "a").st_mode) == 0o500


def test_the_name_of_an_archive_may_look_like_a_host(extracted):
    assert (extracted(archive(GOOD), "host:archive") / "index.html").exists()


def test_no_variable_adds_an_option(extracted, monkeypatch, tmp_path):
    """RUN-5: tar itself would fail with these options."""
    monkeypatch.setenv("TAR_OPTIONS", "--nonsense")
    assert (extracted(archive(GOOD)) / "index.html").exists()


@pytest.mark.parametrize("name", ["../canary", "a/../../canary"])
def test_what_leaves_the_directory_is_not_written(extracted, tmp_path, name):
    with pytest.raises(ToolFailed):
        extracted(archive(member(name, b"x")))
    assert not (tmp_path / "canary").exists()


def test_a_file_below_a_link_is_not_written_behind_it(extracted, tmp_path):
    (tmp_path / "outside").mkdir()
    data = archive(symlink("a", str(tmp_path / "outside")), member("a/canary", b"x"))
    with pytest.raises(ToolFailed):
        extracted(data)
    assert os.listdir(tmp_path / "outside") == []


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense" * 100, gzip.compress(archive(GOOD), mtime=0)[:-20], archive(GOOD)[:700]],
    ids=["nothing", "garbage", "compressed", "plain"],
)
def test_what_is_no_whole_archive_is_a_failure(extracted, data):
    with pytest.raises(ToolFailed) as failed:
        extracted(data)
    assert failed.value.exit_code == 2
    assert "tar:" in failed.value.text

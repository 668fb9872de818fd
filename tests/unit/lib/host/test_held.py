import os

import pytest

from lib.host import held


def names(path, make=False):
    with held.directory(path, make) as directory:
        return sorted(os.listdir(directory))


def test_a_directory_is_held_open(fs):
    fs.create_file("/a/b/c")
    assert names("/a/b") == ["c"]
    with held.parent("/a/b/c") as (directory, name):
        assert (os.listdir(directory), name) == (["c"], "c")


def test_missing_directories_are_made_only_if_asked(fs):
    with pytest.raises(FileNotFoundError):
        names("/new/place")
    assert names("/new/place", make=True) == []


@pytest.mark.parametrize("target", ["/real", "../real", "real"])
def test_a_link_of_roots_is_followed(fs, target):
    fs.create_file("/real/found")
    fs.create_file("/etc/real/found")
    fs.create_symlink("/etc/link", target)
    assert names("/etc/link") == ["found"]


def test_a_link_in_a_directory_of_somebody_else_is_not_followed(fs):
    fs.create_file("/real/found")
    fs.create_symlink("/home/link", "/real")
    os.chown("/home", 1000, 1000)
    with pytest.raises(held.UntrustedLink, match="/home/link"):
        names("/home/link")


def test_a_link_of_somebody_else_is_not_followed(fs):
    fs.create_file("/real/found")
    fs.create_symlink("/home/link", "/real")
    os.chown("/home/link", 1000, 1000, follow_symlinks=False)
    with pytest.raises(held.UntrustedLink):
        names("/home/link/deeper", make=True)


def test_a_link_where_anybody_can_write_is_not_followed(fs):
    fs.create_file("/real/found")
    fs.create_symlink("/tmp2/link", "/real")
    os.chmod("/tmp2", 0o777)
    with pytest.raises(held.UntrustedLink):
        names("/tmp2/link")

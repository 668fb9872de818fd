import os
from pathlib import Path

import pytest

from lib.base import ownership

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="what a test makes is to be root's")


@pytest.fixture(autouse=True)
def top(fs):
    """A directory of root's, with a plugin in it."""
    fs.create_file("/top/plugin/install")
    for path in ("/top", "/top/plugin", "/top/plugin/install"):
        os.chmod(path, 0o755)
    return Path("/top")


def test_what_only_root_can_write_is_safe():
    assert ownership.replaceable("/top/plugin") == ""


@pytest.mark.parametrize("path", ["/top", "/top/plugin", "/top/plugin/install"])
def test_what_belongs_to_somebody_else_is_named(path):
    os.chown(path, 65534, 65534)
    assert ownership.replaceable("/top/plugin") == path


@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_what_others_can_write_is_named(mode):
    os.chmod("/top/plugin", mode)
    assert ownership.replaceable("/top/plugin") == "/top/plugin"


def test_where_all_can_write_but_not_replace_is_passed():
    os.chmod("/top", 0o1777)
    assert ownership.replaceable("/top/plugin") == ""


def test_a_link_is_followed_to_where_others_can_write(fs):
    fs.create_dir("/top/theirs/real")
    os.chmod("/top/theirs", 0o755)
    os.chown("/top/theirs", 65534, 65534)
    fs.create_symlink("/top/link", "theirs/real")
    assert ownership.replaceable("/top/link") == "/top/theirs"


def test_links_in_a_circle_are_not_followed_for_ever(fs):
    fs.create_symlink("/top/one", "two")
    fs.create_symlink("/top/two", "one")
    assert ownership.replaceable("/top/one") in ("/top/one", "/top/two")

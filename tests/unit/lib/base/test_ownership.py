import os
from pathlib import Path

import pytest

from lib.base import ownership

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def top(tmp_path):
    """A directory of root's, with a tree in it; pytest's own place is passed by a link from a safe one."""
    made = Path("/var/tmp") / f"ownership-{os.getpid()}-{tmp_path.name}"
    (made / "plugin").mkdir(parents=True)
    (made / "plugin/install").write_text("")
    made.chmod(0o755)
    yield made
    for path in sorted(made.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    made.rmdir()


def test_what_only_root_can_write_is_safe(top):
    assert ownership.replaceable(str(top / "plugin")) == ""


@pytest.mark.parametrize("name", ["", "plugin", "plugin/install"])
def test_what_belongs_to_somebody_else_is_named(top, name):
    os.chown(top / name, 65534, 65534)
    assert ownership.replaceable(str(top / "plugin")) == str(top / name)


@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_what_others_can_write_is_named(top, mode):
    (top / "plugin").chmod(mode)
    assert ownership.replaceable(str(top / "plugin")) == str(top / "plugin")


def test_a_link_is_followed_to_where_others_can_write(top):
    (top / "theirs").mkdir()
    (top / "theirs/real").mkdir()
    os.chown(top / "theirs", 65534, 65534)
    (top / "link").symlink_to("theirs/real")
    assert ownership.replaceable(str(top / "link")) == str(top / "theirs")


def test_links_in_a_circle_are_not_followed_for_ever(top):
    (top / "one").symlink_to("two")
    (top / "two").symlink_to("one")
    assert ownership.replaceable(str(top / "one")) in (str(top / "one"), str(top / "two"))

"""The rules for members of archives, of every kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base import values
from lib.base.errors import ArchiveRejected
from lib.source import members
from lib.source.limits import Limits
from lib.source.members import DIRECTORY, Member

FILE = Member("file", 1)


@pytest.mark.parametrize("name", [".git", ".GIT", ".Git. ", ".git...", "git~1", "GIT~1"])
def test_what_some_file_system_takes_for_git_is_git(name):
    assert values.is_git_directory(name)


@pytest.mark.parametrize("name", [".gitignore", ".gitmodules", "git", "a.git", "git~2", ".github", ""])
def test_what_only_resembles_git_is_a_file(name):
    assert not values.is_git_directory(name)


@pytest.mark.parametrize("name", ["/", "/x", "//x", "\\x", "C:\\x", "c:/x"])
def test_absolute_paths_are_those_of_any_system(name):
    assert members.is_absolute(name)
    assert not members.is_absolute(f"a{name}")


@pytest.mark.parametrize("name", ["..", "../x", "a/..", "a/../b", "..\\x", "a\\..\\b"])
def test_a_parent_is_found_anywhere(name):
    assert members.has_parent(name)


@pytest.mark.parametrize("name", ["...", "..a", "a..", "a..b/c", ".", "./a"])
def test_dots_in_a_name_are_no_parent(name):
    assert not members.has_parent(name)


def test_directories_above_a_member_are_there_without_being_listed():
    found = {}
    members.add(found, "a/b/c", FILE)
    assert found == {"a/b/c": FILE, "a": DIRECTORY, "a/b": DIRECTORY}


def test_amounts_up_to_the_limits_pass():
    members.judge_amount(10, 3, Limits(10, 3))
    with pytest.raises(ArchiveRejected, match="Archive exceeds maximum allowed size of 10 bytes") as rejected:
        members.judge_amount(11, 3, Limits(10, 3))
    assert rejected.value.reason == "size"
    with pytest.raises(ArchiveRejected, match="4 entries which exceeds the maximum of 3") as rejected:
        members.judge_amount(10, 4, Limits(10, 3))
    assert rejected.value.reason == "file_count"


@pytest.mark.parametrize(
    ("names", "top"),
    [
        (["top/a", "top/b/c"], "top"),
        (["top/a", "topper/b"], ""),
        (["top/a", "b"], ""),
        (["a"], ""),
        ([".git/a"], ""),
        (["a/b/c"], "a"),
    ],
)
def test_one_real_directory_that_holds_all_is_the_top(names, top):
    found = {}
    for name in names:
        members.add(found, name, FILE)
    assert members.judge_whole(found) == top


def test_a_link_is_judged_without_the_top_directory():
    found = {}
    members.add(found, "top/a", Member("link", target="../b"))
    with pytest.raises(ArchiveRejected, match="outside extraction directory"):
        members.judge_whole(found)
    members.add(found, "b", FILE)
    assert members.judge_whole(found) == ""


PARTS = st.sampled_from(["a", "b", "..", ".", "a b"])


@given(st.lists(PARTS, min_size=1, max_size=5), st.lists(PARTS, min_size=1, max_size=6))
def test_a_link_may_lead_anywhere_but_out(place, target):
    """Counted by hand: how deep the target is below the top at the end of the way."""
    name = "/".join(part for part in place if part not in ("..", "."))
    if not name:
        return
    stack = name.split("/")[:-1]
    left = 0
    for part in target:
        if part == ".." and not stack:
            left += 1
        elif part == "..":
            stack.pop()
        elif part != ".":
            stack.append(part)
    found = {}
    members.add(found, name, Member("link", target="/".join(target)))
    members.add(found, "z", FILE)
    if left:
        with pytest.raises(ArchiveRejected):
            members.judge_whole(found)
    else:
        assert members.judge_whole(found) == ""


@given(st.text(max_size=300))
def test_any_name_is_normal_or_refused(name):
    try:
        normal = members.normal_name(name)
    except ArchiveRejected:
        return
    assert members.normal_name(normal) == normal

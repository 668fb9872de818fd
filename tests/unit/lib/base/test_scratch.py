import os
import stat

import pytest

from lib.base import scratch, settings


def test_a_directory_is_private_and_gone_after_its_block(tmp_path: object) -> None:
    """PRV-7"""
    with scratch.directory("build") as place:
        assert stat.S_IMODE(os.stat(place).st_mode) == 0o700
        assert stat.S_IMODE(os.stat(settings.temporary()).st_mode) == 0o700
        with open(os.path.join(place, "file"), "w") as file:
            file.write("x")
    assert os.listdir(settings.temporary()) == []


def test_a_directory_is_gone_after_a_failure() -> None:
    with pytest.raises(KeyError), scratch.directory("build"):
        raise KeyError
    assert os.listdir(settings.temporary()) == []


def test_two_at_once_are_two() -> None:
    """PRV-7"""
    with scratch.directory("build") as one, scratch.directory("build") as other:
        assert one != other


def test_a_tree_without_permissions_is_removed() -> None:
    with scratch.directory("build") as place:
        os.makedirs(os.path.join(place, "a/b"))
        os.chmod(os.path.join(place, "a/b"), 0)
        os.chmod(os.path.join(place, "a"), 0)
    assert os.listdir(settings.temporary()) == []


def test_the_target_of_a_link_stays(tmp_path: os.PathLike[str]) -> None:
    outside = os.path.join(tmp_path, "outside")
    os.mkdir(outside)
    with scratch.directory("build") as place:
        os.symlink(outside, os.path.join(place, "link"))
    assert os.path.isdir(outside)


def test_the_sweep_takes_what_dead_processes_left_and_nothing_else() -> None:
    """LEAK-3"""
    base = settings.temporary()
    with scratch.directory("build") as place:
        started = os.path.basename(place).split(".")[2]
        dead = [
            f"build.{os.getpid()}.{int(started) - 1}.beef",  # our pid, but an older process
            "build.4194999.123.beef",  # above the largest pid there is
            f"build.with.dots.{os.getpid()}.1.beef",
        ]
        kept = ["locks", "notes.txt", f"other.{os.getpid()}.{started}.beef", "a.b.c.d"]
        for name in [*dead, *kept]:
            os.mkdir(os.path.join(base, name))
        scratch.sweep()
        assert sorted(os.listdir(base)) == sorted([*kept, os.path.basename(place)])


def test_a_sweep_before_anything_was_made_is_fine() -> None:
    scratch.sweep()

from pathlib import Path
from typing import Any

import pytest

from lib.base.errors import DokkuError
from lib.host import trees
from tests.conftest import Shell


def installed(fs: Any, tree: str, venv: str) -> str:
    fs.create_file(f"/opt/dokku/{tree}/bin/dokku", contents=f"#!/opt/dokku/{venv}/bin/python -I\n")
    if not Path(f"/opt/dokku/{venv}").exists():
        fs.create_dir(f"/opt/dokku/{venv}/bin")
    return f"/opt/dokku/{tree}"


def names() -> list[str]:
    return sorted(path.name for path in Path(trees.HOME).iterdir())


def test_the_program_is_found_through_one_link(fs: Any) -> None:
    trees.switch(installed(fs, "tree-1", "venv-1"))
    assert Path("/usr/bin/dokku").resolve() == Path("/opt/dokku/tree-1/bin/dokku")
    assert names() == ["current", "tree-1", "venv-1"]


def test_an_upgrade_keeps_the_tree_before_it_and_what_that_runs_on(fs: Any) -> None:
    trees.switch(installed(fs, "tree-1", "venv-1"))
    trees.switch(installed(fs, "tree-2", "venv-2"))
    assert Path("/usr/bin/dokku").resolve() == Path("/opt/dokku/tree-2/bin/dokku")
    assert names() == ["current", "previous", "tree-1", "tree-2", "venv-1", "venv-2"]


def test_older_trees_and_unused_virtualenvs_go(fs: Any) -> None:
    trees.switch(installed(fs, "tree-1", "venv-1"))
    trees.switch(installed(fs, "tree-2", "venv-2"))
    trees.switch(installed(fs, "tree-3", "venv-2"))
    assert names() == ["current", "previous", "tree-2", "tree-3", "venv-2"]


def test_the_same_tree_again_changes_nothing(fs: Any, capfd: pytest.CaptureFixture[str]) -> None:
    trees.switch(installed(fs, "tree-1", "venv-1"))
    trees.switch(installed(fs, "tree-2", "venv-1"))
    capfd.readouterr()
    trees.switch("/opt/dokku/tree-2")
    assert capfd.readouterr().out == ""
    assert Path(trees.PREVIOUS).readlink() == Path("/opt/dokku/tree-1")


def test_a_program_of_a_debian_package_is_not_replaced(fs: Any, shell: Shell) -> None:
    fs.create_file("/usr/bin/dokku")
    with pytest.raises(DokkuError, match="belongs to a Debian package"):
        trees.refuse_foreign()


def test_a_program_of_nobody_may_be_replaced(fs: Any, shell: Shell) -> None:
    fs.create_file("/usr/bin/dokku")
    shell.answers("dpkg-query …", status=1)
    trees.refuse_foreign()


def test_removing_leaves_a_program_that_is_not_ours(fs: Any) -> None:
    trees.switch(installed(fs, "tree-1", "venv-1"))
    Path("/usr/bin/plugn").unlink()
    fs.create_file("/usr/bin/plugn", contents="another")
    trees.remove()
    assert not Path("/usr/bin/dokku").is_symlink()
    assert Path("/usr/bin/plugn").read_text() == "another"
    assert not Path(trees.HOME).exists()

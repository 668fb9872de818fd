"""Root neither runs nor follows what the system user can write: PRV-4, PRV-5."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import NOBODY, TREE, Dokku

WHOEVER = '#!/bin/sh\nid -u >>"$DOKKU_ROOT/ran-as"\n'
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA9PCA7V0NPuZD2GFfKErNDrUtvl5DnDkeZFRHV7ZDOD me@here\n"


def ran_as(dokku: Dokku) -> set[str]:
    notes = dokku.root / "ran-as"
    return set(notes.read_text().split()) if notes.exists() else set()


@pytest.mark.parametrize(
    "words",
    [
        ("ssh-keys:remove", "alice"),
        ("ssh-keys:add", "alice"),
        ("plugin:trigger", "greet"),
        ("plugin:unknown",),
        ("apps:list",),
        ("unknown:command",),
    ],
)
def test_no_plugin_runs_as_root_when_root_gives_a_command(nobodys: Dokku, words: tuple[str, ...]) -> None:
    """PRV-5"""
    nobodys.plugin("evil", user_auth=WHOEVER, greet=WHOEVER, commands=f"{WHOEVER}exit 10\n")
    nobodys(*words, input=KEY)
    assert ran_as(nobodys) == {str(NOBODY)}


def test_settings_of_the_system_user_run_as_that_user(nobodys: Dokku) -> None:
    """PRV-5"""
    (nobodys.root / "dokkurc").write_text('export X=$(id -u >>"$DOKKU_ROOT/ran-as")\n')
    nobodys("ssh-keys:remove", "alice")
    nobodys("apps:list")
    assert ran_as(nobodys) == {str(NOBODY)}


def test_a_key_that_only_root_can_read_is_added(nobodys: Dokku) -> None:
    private = nobodys.log / "private"
    private.mkdir(mode=0o700)
    (private / "key.pub").write_text(KEY)
    assert nobodys("ssh-keys:add", "me", str(private / "key.pub")).code == 0
    keys = nobodys.root / ".ssh/authorized_keys"
    assert keys.read_text().endswith(KEY)
    assert keys.stat().st_uid == NOBODY


def test_a_key_file_that_is_not_there_is_named(nobodys: Dokku) -> None:
    answer = nobodys("ssh-keys:add", "me", "/no/such/key")
    assert (answer.err, answer.code) == (" !     Key file does not exist: /no/such/key\n", 1)


def plugn(dokku: Dokku, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(TREE / "bin/plugn"), *words], env=dokku.environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def as_administrators(place: Path) -> None:
    """Give all of it to root, and to nobody else."""
    for parent, _, names in os.walk(place):
        for path in (parent, *(os.path.join(parent, name) for name in names)):
            os.chown(path, 0, 0, follow_symlinks=False)
            os.chmod(path, 0o755)


@pytest.mark.parametrize("hook", ["install", "update", "uninstall"])
@pytest.mark.parametrize("whose", ["hook", "directory", "functions", "enabled"])
def test_hooks_that_others_can_change_do_not_run_as_root(nobodys: Dokku, hook: str, whose: str) -> None:
    """PRV-5"""
    plugin = nobodys.plugin("evil", **{hook: WHOEVER, "functions": ""})
    for top in (nobodys.lib, nobodys.root):
        as_administrators(top)
    changed = {"hook": plugin / hook, "directory": plugin, "functions": plugin / "functions"}
    os.chown(changed.get(whose, plugin.parent), NOBODY, NOBODY)
    status, said = plugn(nobodys, "trigger", hook)
    assert (status, ran_as(nobodys)) == (1, set())
    assert f"Root does not run '{hook}' of the plugin evil" in said
    assert "chown -R root:root" in said


def test_a_hook_behind_a_link_that_others_can_change_does_not_run_as_root(nobodys: Dokku) -> None:
    """PRV-5"""
    real = nobodys.plugin("evil", install=WHOEVER)
    there = nobodys.root / "swapped"
    real.rename(there)
    for top in (nobodys.lib, nobodys.root):
        as_administrators(top)
    real.symlink_to(there)
    os.chown(nobodys.root, NOBODY, NOBODY)
    status, _ = plugn(nobodys, "trigger", "install")
    assert (status, ran_as(nobodys)) == (1, set())


def test_the_administrators_own_hooks_run_as_root(nobodys: Dokku) -> None:
    nobodys.plugin("good", install=WHOEVER)
    for top in (nobodys.lib, nobodys.root):
        as_administrators(top)
    status, said = plugn(nobodys, "trigger", "install")
    assert (status, ran_as(nobodys)) == (0, {"0"}), said

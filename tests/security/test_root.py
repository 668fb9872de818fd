"""Root neither runs nor follows what the system user can write: PRV-4, PRV-5."""

import contextlib
import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.base.errors import DokkuError
from lib.host import layout
from tests.cli.conftest import NOBODY, TREE, Dokku

_NOBODY = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")

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


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation's places, with nobody as the system user, where the layout can be made for real."""
    if os.geteuid() != 0:
        pytest.skip("only root installs")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        top = Path(name)
        top.chmod(0o755)
        paths = {"DOKKU_ROOT": "root", "DOKKU_LIB_PATH": "lib", "DOKKU_LOGS_DIR": "log"}
        for variable, path in paths.items():
            monkeypatch.setenv(variable, str(top / path))
        monkeypatch.setenv("DOKKU_SYSTEM_USER", "nobody")
        monkeypatch.setenv("DOKKU_SYSTEM_GROUP", "nogroup")
        monkeypatch.setattr(layout, "DEFAULTS", str(top / "defaults"))
        (top / "treasure").mkdir(mode=0o700)
        (top / "treasure/file").write_text("root's own\n")
        (top / "treasure/file").chmod(0o600)
        yield top


def planted(place: Path, link: str, target: Path) -> None:
    """A link that the system user has put where the installer will come by."""
    path = place / link
    path.parent.mkdir(parents=True, exist_ok=True)
    for parent in (path.parent, *path.parent.parents):
        if parent == place:
            break
        os.chown(parent, NOBODY, NOBODY)
    path.symlink_to(target)
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def untouched(place: Path) -> bool:
    states = [os.lstat(place / "treasure"), os.lstat(place / "treasure/file")]
    owners = [(state.st_uid, stat.S_IMODE(state.st_mode)) for state in states]
    text = (place / "treasure/file").read_text()
    names = [entry.name for entry in (place / "treasure").iterdir()]
    return (owners, text, names) == ([(0, 0o700), (0, 0o600)], "root's own\n", ["file"])


@pytest.mark.parametrize(
    "link", ["root/.ssh", "lib/config", "lib/tmp", "lib/data/storage", "log/apps", "log/haproxy", "lib/data"]
)
def test_the_installer_gives_nothing_away_behind_a_link_to_a_directory(place: Path, link: str) -> None:
    """PRV-4"""
    planted(place, link, place / "treasure")
    with contextlib.suppress(DokkuError):
        layout.set_up("apps.test")
    assert untouched(place)


@pytest.mark.parametrize(
    "link",
    [
        "root/.ssh/authorized_keys",
        "root/.netrc",
        "root/.sshcommand",
        "root/HOSTNAME",
        "root/VHOST",
        "log/events.log",
        "log/haproxy/haproxy.log",
    ],
)
def test_the_installer_writes_nothing_through_a_link_to_a_file(place: Path, link: str) -> None:
    """PRV-4"""
    planted(place, link, place / "treasure/file")
    layout.set_up("apps.test")
    assert untouched(place)


@pytest.mark.parametrize("name", ["root/.netrc", "root/.ssh/authorized_keys", "log/events.log"])
def test_the_installer_gives_no_second_name_of_a_file_away(place: Path, name: str) -> None:
    """PRV-4"""
    (place / name).parent.mkdir(parents=True)
    os.link(place / "treasure/file", place / name)
    layout.set_up("apps.test")
    assert untouched(place)


def test_a_link_that_root_made_is_followed(place: Path) -> None:
    (place / "disk").mkdir(mode=0o700)
    (place / "root").symlink_to("disk")
    layout.set_up("apps.test")
    assert (place / "root").is_symlink()
    assert os.stat(place / "disk").st_uid == NOBODY


@pytest.mark.parametrize("name", ["events.log", "haproxy/haproxy.log", "restore.log"])
def test_nobody_swaps_a_log_that_root_writes_for_a_link(place: Path, name: str) -> None:
    """PRV-4: syslog writes the events, systemd opens haproxy's log, both as root."""
    layout.set_up("apps.test")
    swap = f"rm -f {place}/log/{name}; ln -sf /etc/passwd {place}/log/{name}; ls {place}/log/{name}"
    subprocess.run(["setpriv", *_NOBODY, "sh", "-c", swap], capture_output=True, check=False)
    assert not (place / "log" / name).is_symlink()


@pytest.mark.parametrize(
    "name",
    ["root/blog/ENV", "lib/data/ps/blog/Procfile", "lib/data/storage/blog/rootshell", "log/apps/blog.log"],
)
def test_an_upgrade_closes_an_open_host_without_a_search(place: Path, name: str) -> None:
    """PRV-8, SEC-6: modes as Dokku 0.24 left them; nothing below the closed directories is touched."""
    path = place / name
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\necho canary\n")
    path.chmod(0o4755)
    reading = ["setpriv", "--reuid=games", "--regid=games", "--clear-groups", "sh", str(path)]
    assert subprocess.run(reading, capture_output=True, check=False).stdout == b"canary\n"
    layout.set_up("apps.test")
    done = subprocess.run(reading, capture_output=True, check=False)
    assert (done.stdout, done.returncode != 0) == (b"", True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o4755

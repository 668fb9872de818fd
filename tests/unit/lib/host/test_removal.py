import io
import os
from pathlib import Path

import pytest

from lib.base.errors import DokkuError
from lib.host import front, made, removal, setup
from tests.conftest import Shell

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def installed(debian: Shell) -> Path:
    """An installed host with one app, whose nginx is stopped; docker has things of it."""
    Path(os.environ["DOKKU_ROOT"]).rmdir()
    setup.install("/opt/dokku/tree-1")
    app = Path(os.environ["DOKKU_ROOT"]) / "blog"
    app.mkdir()
    Path("/run/nginx.pid").unlink()
    debian.answers("docker container ls …", out="aaa\nbbb\n")
    debian.answers("docker image ls …", out="ccc\nccc\n")
    debian.answers("docker network ls …", out="ddd\n")
    debian.ran.clear()
    return app


def typed(monkeypatch: pytest.MonkeyPatch, text: str, is_terminal: bool = True) -> None:
    """What a person types."""
    stdin = io.StringIO(text)
    monkeypatch.setattr(stdin, "isatty", lambda: is_terminal)
    monkeypatch.setattr("sys.stdin", stdin)


def test_uninstalling_keeps_apps_unless_told_otherwise(debian: Shell, installed: Path) -> None:
    removal.uninstall(purge=False, is_agreed=True)
    assert installed.is_dir()
    assert not Path("/usr/bin/dokku").is_symlink()
    assert not Path("/opt/dokku").exists()
    assert not any(line.startswith(("userdel", "docker container rm")) for line in debian.ran)


def test_purging_removes_apps_containers_images_networks_and_user(debian: Shell, installed: Path) -> None:
    made.note(made.USER)
    removal.uninstall(purge=True, is_agreed=True)
    assert not Path(os.environ["DOKKU_ROOT"]).exists()
    assert "docker container rm --force aaa bbb" in debian.ran
    assert "docker image rm --force ccc" in debian.ran
    assert "docker network rm ddd" in debian.ran
    assert "userdel root" in debian.ran
    assert not Path("/etc/default/dokku").exists()


def test_a_user_and_a_home_that_were_there_before_stay(
    debian: Shell, installed: Path, capfd: Capture
) -> None:
    made.forget(made.HOME)
    home = Path(os.environ["DOKKU_ROOT"])
    (home / "notes").write_text("mine")
    removal.uninstall(purge=True, is_agreed=True)
    assert [path.name for path in home.iterdir() if not path.name.startswith(".")] == ["notes"]
    assert not any(line.startswith(("userdel", "groupdel")) for line in debian.ran)
    said = capfd.readouterr().out
    assert "The user root was there before, and stays: userdel root removes it" in said


def test_no_service_is_stopped(debian: Shell, installed: Path) -> None:
    removal.uninstall(purge=True, is_agreed=True)
    assert not any(line.startswith("service ") for line in debian.ran)


@pytest.mark.parametrize(("purge", "word"), [(False, "yes"), (True, os.uname().nodename)])
def test_at_a_terminal_what_goes_is_shown_and_asked_for(
    installed: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture, purge: bool, word: str
) -> None:
    typed(monkeypatch, "no\n")
    with pytest.raises(DokkuError, match="Nothing was removed"):
        removal.uninstall(purge, is_agreed=False)
    assert Path("/usr/bin/dokku").is_symlink()
    said = capfd.readouterr()
    assert ": blog" in said.out
    assert said.err.endswith(f"{word}\n")
    typed(monkeypatch, f"{word}\n")
    removal.uninstall(purge, is_agreed=False)
    assert not Path("/usr/bin/dokku").is_symlink()
    assert installed.exists() is not purge


def test_without_a_terminal_a_flag_is_the_answer(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "yes\n", is_terminal=False)
    with pytest.raises(DokkuError, match="agree with --yes"):
        removal.uninstall(purge=False, is_agreed=False)
    assert Path("/usr/bin/dokku").is_symlink()


def test_an_uninstallation_that_was_interrupted_can_be_repeated(installed: Path) -> None:
    front.remove()
    removal.uninstall(purge=True, is_agreed=True)
    removal.uninstall(purge=True, is_agreed=True)
    assert not installed.exists()

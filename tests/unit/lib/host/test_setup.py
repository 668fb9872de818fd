import os
import sys
from pathlib import Path

import pytest

from lib.host import setup
from tests.conftest import Shell


def test_the_program_goes_live_last(debian: Shell, capfd: pytest.CaptureFixture[str]) -> None:
    setup.install("/opt/dokku/tree-1", "apps.example.com")
    said = capfd.readouterr().out.splitlines()
    assert said[-2].startswith("       Linked /usr/bin/plugn to ")
    assert said[-1].endswith("is installed; apps are served below apps.example.com")


def test_a_step_that_fails_leaves_the_running_program_alone(debian: Shell) -> None:
    debian.answers("/usr/sbin/nginx …", status=1, err="broken\n")
    with pytest.raises(Exception, match="nginx refuses"):
        setup.install("/opt/dokku/tree-1")
    assert not Path("/usr/bin/dokku").is_symlink()


def test_a_second_installation_only_reports_its_steps(
    debian: Shell, capfd: pytest.CaptureFixture[str]
) -> None:
    setup.install("/opt/dokku/tree-1")
    capfd.readouterr()
    setup.install("/opt/dokku/tree-1")
    assert all(line.startswith(("----->", "=====>")) for line in capfd.readouterr().out.splitlines())


def test_a_failure_is_a_line_and_a_status(
    debian: Shell, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    debian.answers("/usr/sbin/nginx …", status=1, err="unknown directive\n")
    monkeypatch.setattr(sys, "argv", ["setup", "install", "/opt/dokku/tree-1", ""])
    with pytest.raises(SystemExit) as ended:
        setup.main()
    assert ended.value.code == 1
    assert capfd.readouterr().err == (" !     nginx refuses its configuration:\n !     unknown directive\n")


def test_apps_of_before_are_brought_back_with_docker(debian: Shell) -> None:
    (Path(os.environ["DOKKU_ROOT"]) / "blog").mkdir()
    debian.answers("docker version", status=1)
    debian.answers("docker version", status=0)
    setup.install("/opt/dokku/tree-1")
    program = "/opt/dokku/tree-1/bin/dokku ps:restore"
    order = ["service docker start", "service nginx start", f"{program} --all"]
    assert [line for line in debian.ran if line in order] == order

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from lib.host import setup
from tests.conftest import Shell


@pytest.fixture
def host(fs: Any, shell: Shell) -> Shell:
    """Debian without systemd, with all packages and nothing of ours; docker answers, the rest runs."""
    for number, name in ((50, "sshd"), (51, "crond")):
        fs.create_file(f"/run/{name}.pid", contents=f"{number}\n")
        fs.create_dir(f"/proc/{number}")
    fs.create_file("/opt/dokku/tree-1/bin/dokku", contents="#!/opt/dokku/venv-1/bin/python -I\n")
    fs.create_dir("/opt/dokku/venv-1")
    fs.create_file("/etc/nginx/nginx.conf", contents="user www-data;\n")
    shell.answers("getent passwd …", out="root:x:0:0::/root:/bin/bash\n")
    shell.answers("getent group …", out="docker:x:107:root\n")
    os.environ.update(DOKKU_NGINX_TEST_COMMAND="/usr/sbin/nginx -t", DOKKU_NGINX_PID_FILE="/run/nginx.pid")
    fs.create_file("/proc/70/cmdline", contents="nginx: master process")
    start_nginx = lambda _: fs.create_file("/run/nginx.pid", contents="70\n")  # noqa: E731
    shell.answers("service nginx start", does=start_nginx)
    return shell


def test_the_program_goes_live_last(host: Shell, capfd: pytest.CaptureFixture[str]) -> None:
    setup.install("/opt/dokku/tree-1", "apps.example.com")
    said = capfd.readouterr().out.splitlines()
    assert said[-2].startswith("       Linked /usr/bin/plugn to ")
    assert said[-1].endswith("is installed; apps are served below apps.example.com")


def test_a_step_that_fails_leaves_the_running_program_alone(host: Shell) -> None:
    host.answers("/usr/sbin/nginx …", status=1, err="broken\n")
    with pytest.raises(Exception, match="nginx refuses"):
        setup.install("/opt/dokku/tree-1")
    assert not Path("/usr/bin/dokku").is_symlink()


def test_a_second_installation_only_reports_its_steps(host: Shell, capfd: pytest.CaptureFixture[str]) -> None:
    setup.install("/opt/dokku/tree-1")
    capfd.readouterr()
    setup.install("/opt/dokku/tree-1")
    assert all(line.startswith(("----->", "=====>")) for line in capfd.readouterr().out.splitlines())


def test_uninstalling_keeps_apps_unless_told_otherwise(host: Shell) -> None:
    setup.install("/opt/dokku/tree-1")
    app = Path(os.environ["DOKKU_ROOT"]) / "blog"
    app.mkdir()
    Path("/run/nginx.pid").unlink()
    setup.uninstall()
    assert app.is_dir()
    assert not Path("/usr/bin/dokku").is_symlink()
    assert not Path("/opt/dokku").exists()
    assert not any(line.startswith(("userdel", "docker container rm")) for line in host.ran)


def test_purging_removes_apps_containers_images_and_user(host: Shell) -> None:
    setup.install("/opt/dokku/tree-1")
    host.answers("docker container ls …", out="aaa\nbbb\n")
    host.answers("docker image ls …", out="ccc\nccc\n")
    Path("/run/nginx.pid").unlink()
    setup.uninstall(purge=True)
    assert not Path(os.environ["DOKKU_ROOT"]).exists()
    assert "docker container rm --force aaa bbb" in host.ran
    assert "docker image rm --force ccc" in host.ran
    assert "userdel root" in host.ran
    assert not Path("/etc/default/dokku").exists()


def test_a_failure_is_a_line_and_a_status(
    host: Shell, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    host.answers("/usr/sbin/nginx …", status=1, err="unknown directive\n")
    monkeypatch.setattr(sys, "argv", ["setup", "install", "/opt/dokku/tree-1", ""])
    with pytest.raises(SystemExit) as ended:
        setup.main()
    assert ended.value.code == 1
    assert capfd.readouterr().err == (" !     nginx refuses its configuration:\n !     unknown directive\n")


def test_apps_of_before_are_brought_back_with_docker(host: Shell) -> None:
    (Path(os.environ["DOKKU_ROOT"]) / "blog").mkdir()
    host.answers("docker version", status=1)
    host.answers("docker version", status=0)
    setup.install("/opt/dokku/tree-1")
    program = "/opt/dokku/tree-1/bin/dokku ps:restore"
    order = ["service docker start", "service nginx start", f"{program} --all"]
    assert [line for line in host.ran if line in order] == order

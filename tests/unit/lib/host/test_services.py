from pathlib import Path
from typing import Any

import pytest

from lib.base import settings
from lib.base.errors import DokkuError
from lib.host import services
from tests.conftest import Shell


@pytest.fixture
def running(fs: Any, shell: Shell) -> Shell:
    """A host without systemd on which everything runs."""
    for number, path in enumerate(services.PID_FILES.values(), start=50):
        fs.create_file(path, contents=f"{number}\n")
        fs.create_dir(f"/proc/{number}")
    fs.create_file(settings.nginx_pid_file(), contents="70\n")
    fs.create_file("/proc/70/cmdline", contents="nginx: master process nginx")
    return shell


def test_what_runs_is_left_alone_whoever_started_it(running: Shell) -> None:
    services.set_up()
    assert running.ran == ["docker version"]


def test_what_is_down_is_started_and_remembered(running: Shell, fs: Any) -> None:
    Path("/run/sshd.pid").unlink()
    running.answers("service ssh start", does=lambda _: fs.create_file("/run/sshd.pid", contents="50\n"))
    services.set_up()
    assert running.ran == ["docker version", "service ssh start"]


def test_dockerd_is_started_directly_where_its_script_gives_up(running: Shell) -> None:
    running.answers("docker version", status=1)
    running.answers("docker version", status=0)
    running.answers("service docker start", status=2, err="ulimit: error setting limit\n")
    services.set_up()
    assert running.ran[2].startswith("start-stop-daemon --start --background")
    assert running.ran[2].endswith("dockerd -- --pidfile /run/docker.pid")


def test_a_service_that_cannot_start_says_why(running: Shell) -> None:
    Path(settings.nginx_pid_file()).unlink()
    running.answers("service nginx start", status=1, err="bind() to 0.0.0.0:80 failed\n")
    with pytest.raises(DokkuError, match="nginx could not be started") as failed:
        services.set_up()
    assert failed.value.more == ("bind() to 0.0.0.0:80 failed",)


def test_systemd_enables_and_starts_what_is_down(running: Shell, fs: Any) -> None:
    fs.create_dir("/run/systemd/system")
    running.answers("systemctl is-active --quiet cron", status=3)
    running.answers("systemctl is-active --quiet cron", status=0)
    services.set_up()
    assert "systemctl enable --now --quiet cron" in running.ran
    assert not any(line.startswith("service") for line in running.ran)


def test_a_socket_that_waits_for_ssh_counts_as_running(running: Shell, fs: Any) -> None:
    fs.create_dir("/run/systemd/system")
    running.answers("systemctl is-active --quiet ssh.service", status=3)
    assert services.is_running("ssh")
    running.answers("systemctl is-active --quiet ssh.socket", status=3)
    assert not services.is_running("ssh")


def test_a_pid_file_of_a_dead_process_is_no_service(running: Shell, fs: Any) -> None:
    Path("/run/crond.pid").write_text("4242\n")
    assert not services.is_running("cron")

import grp
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from lib.base import settings
from lib.base.errors import DokkuError
from lib.host import layout
from tests.conftest import Shell


@pytest.fixture(autouse=True)
def _installed(environment: None) -> None:
    os.environ.update(
        DOKKU_ROOT="/home/dokku", DOKKU_LIB_PATH="/var/lib/dokku", DOKKU_LOGS_DIR="/var/log/dokku"
    )


def mode(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


def test_only_nginx_passes_what_apps_are_in(fs: Any, shell: Shell) -> None:
    """PRV-8"""
    fs.create_file("/etc/nginx/nginx.conf", contents="user www-data;\nevents {}\n")
    layout.set_up("")
    for path in ("/home/dokku", "/var/lib/dokku/data", "/var/lib/dokku/data/storage"):
        assert mode(path) == 0o710
        assert Path(path).stat().st_gid == grp.getgrnam("www-data").gr_gid
    assert mode("/var/lib/dokku/services") == mode("/var/log/dokku/apps") == 0o750
    assert mode("/home/dokku/.ssh") == 0o700
    assert mode("/home/dokku/.ssh/authorized_keys") == 0o600
    assert mode("/var/lib/dokku/config") == mode("/var/lib/dokku/tmp") == 0o700
    assert (mode("/var/log/dokku"), Path("/var/log/dokku").stat().st_uid) == (0o750, 0)
    assert mode("/var/log/dokku/events.log") == 0o660
    assert Path("/home/dokku/.sshcommand").read_text() == "/usr/bin/dokku\n"
    assert Path("/var/lib/dokku/STABLE_VERSION").read_text() == f"{settings.VERSION}\n"
    assert Path("/var/lib/dokku/plugins/enabled").is_dir()
    assert Path("/var/lib/dokku/core-plugins/available").is_dir()


@pytest.mark.parametrize("text", ["", "worker_processes 1;\n", "user no-such-user;\n", "# user www-data;\n"])
def test_an_nginx_of_unknown_user_still_passes(
    fs: Any, shell: Shell, capfd: pytest.CaptureFixture[str], text: str
) -> None:
    fs.create_file("/etc/nginx/nginx.conf", contents=text)
    layout.set_up("")
    assert mode("/home/dokku") == mode("/var/lib/dokku/data") == 0o711
    assert "names no user for nginx" in capfd.readouterr().err


def test_a_storage_that_is_a_link_is_left_alone_and_said(
    fs: Any, shell: Shell, capfd: pytest.CaptureFixture[str]
) -> None:
    fs.create_dir("/mnt/disk")
    os.chmod("/mnt/disk", 0o700)
    fs.create_dir("/var/lib/dokku/data")
    os.chmod("/var/lib/dokku/data", 0o777)
    os.chown("/var/lib/dokku/data", 1000, 1000)
    fs.create_symlink("/var/lib/dokku/data/storage", "/mnt/disk")
    os.chown("/var/lib/dokku/data/storage", 1000, 1000, follow_symlinks=False)
    layout.set_up("")
    assert mode("/mnt/disk") == 0o700
    assert "Left alone" in capfd.readouterr().err


def test_keys_that_are_there_stay(fs: Any, shell: Shell) -> None:
    fs.create_file("/home/dokku/.ssh/authorized_keys", contents="ssh-ed25519 AAAA me\n", st_mode=0o100700)
    layout.set_up("")
    assert Path("/home/dokku/.ssh/authorized_keys").read_text() == "ssh-ed25519 AAAA me\n"
    assert mode("/home/dokku/.ssh/authorized_keys") == 0o600


def test_keys_of_older_releases_get_the_present_command(fs: Any, shell: Shell) -> None:
    start = 'command="FINGERPRINT=SHA256:x NAME=\\"me\\" '
    old = f'{start}`cat /home/dokku/.sshcommand` $SSH_ORIGINAL_COMMAND",no-pty k\n'
    foreign = 'command="/usr/bin/other $SSH_ORIGINAL_COMMAND" ssh-ed25519 AAAA\n'
    fs.create_file("/home/dokku/.ssh/authorized_keys", contents=f"# people\n{old}{foreign}")
    layout.set_up("")
    new = old.replace(" $SSH_ORIGINAL_COMMAND", "")
    assert Path("/home/dokku/.ssh/authorized_keys").read_text() == f"# people\n{new}{foreign}"


def test_the_machines_full_name_becomes_the_domain(fs: Any, shell: Shell) -> None:
    shell.answers("hostname -f", out="Box.Example.com\n")
    layout.set_up("")
    assert layout.domain() == "box.example.com"
    assert Path("/home/dokku/VHOST").read_text() == "box.example.com\n"


@pytest.mark.parametrize("name", ["box\n", "not a name.com\n", "\n"])
def test_a_machine_without_a_full_name_serves_itself(fs: Any, shell: Shell, name: str) -> None:
    shell.answers("hostname -f", out=name)
    layout.set_up("")
    assert layout.domain() == "dokku.localhost"


def test_a_name_that_no_table_knows_is_no_failure(fs: Any, shell: Shell) -> None:
    shell.answers("hostname -f", status=1, err="hostname: Name or service not known\n")
    layout.set_up("")
    assert layout.domain() == "dokku.localhost"


def test_the_present_domain_stays_unless_another_is_asked_for(fs: Any, shell: Shell) -> None:
    layout.set_up("one.example.com")
    Path("/home/dokku/VHOST").write_text("one.example.com\nmore.example.com\n")
    layout.set_up("")
    assert Path("/home/dokku/VHOST").read_text() == "one.example.com\nmore.example.com\n"
    layout.set_up("two.example.com")
    assert layout.domain() == "two.example.com"
    assert Path("/home/dokku/VHOST").read_text() == "two.example.com\n"


def test_switched_off_global_domains_stay_off(fs: Any, shell: Shell) -> None:
    layout.set_up("one.example.com")
    Path("/home/dokku/VHOST").unlink()
    layout.set_up("")
    assert not Path("/home/dokku/VHOST").exists()


@pytest.mark.parametrize("name", ["UPPER.com", "a;b.com", "*.example.com", "a..b", "x\ny.com"])
def test_a_domain_that_is_none_is_refused(fs: Any, shell: Shell, name: str) -> None:
    with pytest.raises(DokkuError, match="not a host name"):
        layout.set_up(name)


def test_a_second_run_says_and_changes_nothing(
    fs: Any, shell: Shell, capfd: pytest.CaptureFixture[str]
) -> None:
    layout.set_up("")
    capfd.readouterr()
    layout.set_up("")
    assert capfd.readouterr().out == ""


def test_the_administrators_settings_are_never_overwritten(fs: Any, shell: Shell) -> None:
    fs.create_file("/etc/default/dokku", contents="export DOKKU_WAIT_TO_RETIRE=30\n")
    layout.set_up("")
    assert Path("/etc/default/dokku").read_text() == "export DOKKU_WAIT_TO_RETIRE=30\n"


def test_removing_takes_the_apps_and_their_logs(fs: Any, shell: Shell) -> None:
    fs.remove_object("/home/dokku")
    layout.set_up("")
    os.environ["DOKKU_NGINX_LOG_DIR"] = "/var/log/nginx"
    fs.create_dir("/home/dokku/blog")
    fs.create_file("/var/log/nginx/blog-access.log")
    fs.create_file("/var/log/nginx/access.log")
    fs.create_file("/var/spool/cron/crontabs/somebody")
    layout.remove()
    assert not any(Path(path).exists() for path in ("/home/dokku", "/var/lib/dokku", "/var/log/dokku"))
    assert [path.name for path in Path("/var/log/nginx").iterdir()] == ["access.log"]
    assert Path("/var/spool/cron/crontabs/somebody").exists()

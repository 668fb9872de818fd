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


def test_others_may_pass_the_apps_directory_but_not_list_it(fs: Any, shell: Shell) -> None:
    """PRV-8"""
    layout.set_up("")
    assert mode("/home/dokku") == 0o751
    assert mode("/home/dokku/.ssh") == 0o700
    assert mode("/home/dokku/.ssh/authorized_keys") == 0o600
    assert mode("/var/lib/dokku/config") == mode("/var/lib/dokku/tmp") == 0o700
    assert mode("/var/log/dokku") == 0o775
    assert Path("/home/dokku/.sshcommand").read_text() == "/usr/bin/dokku\n"
    assert Path("/var/lib/dokku/STABLE_VERSION").read_text() == f"{settings.VERSION}\n"
    assert Path("/var/lib/dokku/plugins/enabled").is_dir()
    assert Path("/var/lib/dokku/core-plugins/available").is_dir()


def test_keys_that_are_there_stay(fs: Any, shell: Shell) -> None:
    fs.create_file("/home/dokku/.ssh/authorized_keys", contents="ssh-ed25519 AAAA me\n", st_mode=0o100700)
    layout.set_up("")
    assert Path("/home/dokku/.ssh/authorized_keys").read_text() == "ssh-ed25519 AAAA me\n"
    assert mode("/home/dokku/.ssh/authorized_keys") == 0o600


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

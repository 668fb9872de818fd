import os
from pathlib import Path
from typing import Any

import pytest

from lib.base.errors import DokkuError
from lib.host import accounts, made
from tests.conftest import Shell


@pytest.fixture(autouse=True)
def _installed(environment: None) -> None:
    os.environ.update(DOKKU_SYSTEM_USER="dokku", DOKKU_SYSTEM_GROUP="dokku", DOKKU_ROOT="/home/dokku")


def test_a_new_host_gets_the_user_in_the_groups_it_needs(fs: Any, shell: Shell) -> None:
    shell.answers("getent …", status=2)
    shell.answers("getent group docker", status=2)
    shell.answers("getent group docker", out="docker:x:107:\n")
    shell.answers("getent group adm", out="adm:x:4:syslog\n")
    accounts.set_up()
    assert [line for line in shell.ran if not line.startswith("getent")] == [
        "groupadd --system dokku",
        "groupadd --system docker",
        "useradd --system --gid dokku --home-dir /home/dokku --no-create-home --shell /bin/bash "
        "--password '*' dokku",
        "usermod --append --groups docker dokku",
        "usermod --append --groups adm dokku",
    ]


def test_a_host_that_has_it_all_is_left_alone(shell: Shell) -> None:
    shell.answers("getent passwd dokku", out="dokku:x:999:997::/home/dokku:/bin/bash\n")
    shell.answers("getent group dokku", out="dokku:x:997:\n")
    shell.answers("getent group docker", out="docker:x:107:me,dokku\n")
    shell.answers("getent group adm", out="adm:x:4:dokku\n")
    accounts.set_up()
    assert all(line.startswith("getent") for line in shell.ran)


def test_a_user_that_may_not_log_in_is_refused(shell: Shell) -> None:
    shell.answers("getent …", out="x:x:1:\n")
    shell.answers("getent passwd dokku", out="dokku:x:999:997::/home/dokku:/usr/sbin/nologin\n")
    with pytest.raises(DokkuError, match="may not log in"):
        accounts.set_up()


def test_sudo_allows_exactly_the_control_of_the_proxies_and_a_program_of_ours(fs: Any, shell: Shell) -> None:
    """PRV-3"""
    for word in ("reload", "start", "stop"):
        os.environ[f"DOKKU_NGINX_{word.upper()}_COMMAND"] = f"/usr/bin/systemctl {word} nginx"
    accounts.set_up_sudoers()
    assert Path(accounts.SUDOERS).read_text().splitlines()[1:] == [
        "dokku ALL=(root) NOPASSWD: /usr/sbin/nginx -t",
        "dokku ALL=(root) NOPASSWD: /usr/bin/systemctl reload nginx",
        "dokku ALL=(root) NOPASSWD: /usr/bin/systemctl start nginx",
        "dokku ALL=(root) NOPASSWD: /usr/bin/systemctl stop nginx",
        "dokku ALL=(root) NOPASSWD: /usr/bin/systemctl enable --now --quiet dokku-haproxy.service",
        "dokku ALL=(root) NOPASSWD: /usr/bin/systemctl disable --now --quiet dokku-haproxy.service",
        "dokku ALL=(root) NOPASSWD: /opt/dokku/current/bin/own-storage",
        "dokku ALL=(root) NOPASSWD: /opt/dokku/current/bin/remove-logs",
    ]
    assert Path(accounts.SUDOERS).stat().st_mode & 0o7777 == 0o440
    assert shell.ran[0].startswith("visudo --check --quiet --file /etc/sudoers.d/.dokku-nginx.")


def test_sudoers_that_visudo_refuses_are_not_put_in_place(fs: Any, shell: Shell) -> None:
    """PRV-3"""
    shell.answers("visudo …", status=1, err="parse error")
    with pytest.raises(DokkuError):
        accounts.set_up_sudoers()
    assert not Path(accounts.SUDOERS).exists()


@pytest.mark.parametrize("command", ["/usr/sbin/nginx -t -c *", "nginx -t", "/bin/a, /bin/sh", "/bin/a:b"])
def test_a_command_that_sudo_would_read_as_more_is_refused(fs: Any, shell: Shell, command: str) -> None:
    """PRV-3"""
    os.environ["DOKKU_NGINX_TEST_COMMAND"] = command
    with pytest.raises(DokkuError, match="not a command that sudo"):
        accounts.set_up_sudoers()
    assert not Path(accounts.SUDOERS).exists()


def test_removing_takes_user_and_group(fs: Any, shell: Shell) -> None:
    shell.answers("getent …", out="dokku:x:999:\n")
    made.note(made.USER)
    made.note(made.GROUP)
    accounts.remove()
    assert [line for line in shell.ran if not line.startswith("getent")] == [
        "userdel dokku",
        "groupdel dokku",
    ]


def test_a_user_that_was_there_before_stays(fs: Any, shell: Shell) -> None:
    shell.answers("getent …", out="dokku:x:1000:\n")
    accounts.remove()
    assert all(line.startswith("getent") for line in shell.ran)

"""Who a command runs as."""

import os
import pwd

import pytest

from tests.cli.conftest import NOBODY, TREE, Dokku, as_nobody

WHO = '#!/bin/sh\necho "$(id -u) $(id -g) $(id -G) $(umask) $HOME $USER $LOGNAME $SSH_USER $PATH $(pwd)"\n'


def test_root_becomes_the_system_user(nobodys: Dokku) -> None:
    """PRV-1"""
    nobodys.plugin("who", commands=WHO)
    nobodys.environment |= {"USER": "root", "HOME": "/root", "LOGNAME": "root"}
    uid, gid, groups, mask, home, user, login, ssh_user, path, _ = nobodys("who").out.split()
    assert (uid, gid, groups) == (str(NOBODY),) * 3
    assert (mask, home, user, login) == ("0022", pwd.getpwuid(NOBODY).pw_dir, "nobody", "nobody")
    assert ssh_user == "root"
    assert path.startswith("/usr/local/sbin:")


def test_a_directory_only_root_can_enter_is_left(nobodys: Dokku) -> None:
    nobodys.plugin("who", commands=WHO)
    private = nobodys.log / "private"
    private.mkdir(mode=0o700)
    assert nobodys("who", cwd=private).out.split()[-1] == "/"


def test_the_system_user_itself_stays_where_and_what_it_is(dokku: Dokku) -> None:
    dokku.plugin("who", commands=WHO)
    said = dokku("who", cwd=dokku.log).out.split()
    assert said[0] == str(os.geteuid())
    assert (said[4], said[-1]) == (str(dokku.root), str(dokku.log))


def test_files_belong_to_the_system_user(nobodys: Dokku) -> None:
    """PRV-1"""
    assert nobodys("apps:create", "blog").code == 0
    assert nobodys("config:set", "--no-restart", "blog", "KEY=value").code == 0
    for top in (nobodys.root, nobodys.lib):
        for parent, directories, files in os.walk(top):
            for name in (*directories, *files):
                assert os.lstat(os.path.join(parent, name)).st_uid == NOBODY, name


def test_anybody_else_goes_through_sudo(nobodys: Dokku) -> None:
    """IO-11, PRV-1"""
    nobodys.bin.chmod(0o777)
    calls = nobodys.recorded("sudo")
    answer = as_nobody(
        "--quiet", "apps:create", "a b", env={**nobodys.environment, "DOKKU_SYSTEM_USER": "root"}
    )
    assert answer.code == 0
    program = str(TREE / "bin/dokku")
    assert calls() == [
        ["-n", "-u", "root", "-l", program],
        ["-n", "-u", "root", "-E", "-H", program, "--quiet", "apps:create", "a b"],
    ]


def test_a_host_without_the_system_user_is_told_so(dokku: Dokku) -> None:
    """PRV-2"""
    answer = dokku("apps:list", env={"DOKKU_SYSTEM_USER": "no-such-user"})
    assert answer == ("", " !     There is no user no-such-user; was bin/install run?\n", 1)


@pytest.mark.parametrize("command", ["plugin:install", "plugin:enable", "ssh-keys:add", "ssh-keys:remove"])
def test_what_belongs_to_root_is_roots_to_change(dokku: Dokku, command: str) -> None:
    """PRV-1"""
    answer = as_nobody(command, "x", env={**dokku.environment, "DOKKU_SYSTEM_USER": "nobody"})
    assert (answer.err, answer.code) == (" !     This command must be run as root\n", 1)


def test_who_may_not_use_sudo_is_told_and_nothing_happens(nobodys: Dokku) -> None:
    """PRV-2"""
    nobodys.bin.chmod(0o755)
    nobodys.program("sudo", '#!/bin/sh\necho "sudo: a password is required" >&2\nexit 1\n')
    env = {**nobodys.environment, "DOKKU_SYSTEM_USER": "root"}
    answer = as_nobody("apps:create", "blog", env=env)
    program = TREE / "bin/dokku"
    assert answer == (
        "",
        " !     sudo does not let nobody run dokku without a password, and there is no terminal to ask at\n"
        f" !     As root, add to /etc/sudoers.d/nobody: nobody ALL=(root) NOPASSWD:SETENV: {program}\n",
        1,
    )
    assert not (nobodys.root / "blog").exists()

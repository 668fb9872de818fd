import os
import stat
from pathlib import Path

import pytest

from lib.host import nginx_logs

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root sets up a host")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def logs(tmp_path, monkeypatch):
    monkeypatch.setenv("DOKKU_NGINX_LOG_DIR", str(tmp_path / "nginx"))
    (tmp_path / "nginx").mkdir()
    (tmp_path / "root/blog").mkdir(parents=True)
    return tmp_path / "nginx"


def test_what_nginx_creates_is_not_for_others(logs):
    nginx_logs.set_up()
    descriptor = os.open(logs / "blog-access.log", os.O_WRONLY | os.O_CREAT, 0o644)
    os.close(descriptor)
    assert mode(logs / "blog-access.log") == 0o640
    assert (logs / "blog-access.log").stat().st_gid == logs.stat().st_gid


def test_the_apps_logs_of_before_are_closed_and_others_left_alone(logs):
    for name in ("blog-access.log", "blog-error.log", "mine.log"):
        (logs / name).write_text("")
        (logs / name).chmod(0o644)
    nginx_logs.set_up()
    assert [mode(logs / name) for name in ("blog-access.log", "blog-error.log")] == [0o640] * 2
    assert mode(logs / "mine.log") == 0o644


def test_nginx_still_passes_its_directory(logs):
    nginx_logs.set_up()
    assert mode(logs) == 0o2755


def test_an_acl_of_the_administrator_stays(logs):
    nginx_logs.set_up()
    before = os.getxattr(logs, "system.posix_acl_default")
    changed = before.replace(b"\x05\x00", b"\x00\x00")
    os.setxattr(logs, "system.posix_acl_default", changed)
    nginx_logs.set_up()
    assert os.getxattr(logs, "system.posix_acl_default") == changed


def test_a_file_system_without_acls_is_said(logs, monkeypatch, capfd):
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    nginx_logs.set_up()
    assert "takes no default ACL (Operation not supported)" in capfd.readouterr().err


def test_no_nginx_is_no_failure(logs, monkeypatch):
    monkeypatch.setenv("DOKKU_NGINX_LOG_DIR", f"{logs}/none")
    nginx_logs.set_up()


def test_a_gone_apps_logs_are_removed_and_no_others(logs):
    for name in (
        "blog-access.log",
        "blog-error.log.2.gz",
        "blog-2-access.log",
        "blog-access.log.old",
        "access.log",
    ):
        (logs / name).write_text("")
    nginx_logs.remove("blog")
    assert sorted(path.name for path in logs.iterdir()) == [
        "access.log",
        "blog-2-access.log",
        "blog-access.log.old",
    ]


def test_the_system_user_asks_for_it_by_sudo(logs, shell, monkeypatch):
    (logs / "blog-access.log").write_text("")
    monkeypatch.setattr(os, "access", lambda *_: False)
    nginx_logs.remove("blog")
    nginx_logs.remove("none")
    assert shell.ran == ["sudo -n /opt/dokku/current/bin/remove-logs blog"]


def test_logs_that_stay_are_said(logs, shell, monkeypatch, capfd):
    (logs / "blog-access.log").write_text("")
    monkeypatch.setattr(os, "access", lambda *_: False)
    shell.answers("sudo …", status=1)
    nginx_logs.remove("blog")
    assert "nginx's logs of blog stay" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["", "../etc", "a/b", "UPPER;", "*"])
def test_only_an_apps_name_is_taken(logs, monkeypatch, name):
    monkeypatch.setattr("sys.argv", ["remove-logs", name])
    with pytest.raises(SystemExit) as ended:
        nginx_logs.main()
    assert ended.value.code == 1

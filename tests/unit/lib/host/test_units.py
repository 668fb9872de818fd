import os
from pathlib import Path
from typing import Any

import pytest

from lib.host import units
from lib.tools import haproxy
from tests.conftest import Shell


@pytest.fixture(autouse=True)
def _installed(environment: None) -> None:
    os.environ.update(DOKKU_SYSTEM_USER="dokku", DOKKU_SYSTEM_GROUP="dokku", DOKKU_LOGS_DIR="/var/log/dokku")


def test_without_systemd_cron_retires_and_restores(fs: Any, shell: Shell) -> None:
    units.set_up()
    assert "* * * * * dokku /usr/bin/dokku ps:retire >" in Path(units.CRON_RETIRE).read_text()
    reboot = Path(units.CRON_REDEPLOY).read_text()
    assert reboot.splitlines()[-1].startswith("@reboot dokku timeout 600 sh -c 'until docker version;")
    assert "; /usr/bin/dokku ps:restore --all >" in reboot
    assert shell.ran == []


def test_systemd_gets_units_and_no_cron_lines(fs: Any, shell: Shell) -> None:
    fs.create_dir("/run/systemd/system")
    fs.create_file(units.CRON_RETIRE)
    shell.answers("systemctl is-enabled …", status=1)
    shell.answers("systemctl is-active …", status=3)
    units.set_up()
    assert not Path(units.CRON_RETIRE).exists()
    assert (
        "User=dokku\nExecStart=/usr/bin/dokku ps:retire\n"
        in Path(f"{units.UNITS}/dokku-retire.service").read_text()
    )
    assert shell.ran[0] == "systemctl daemon-reload"
    assert "systemctl enable --quiet dokku-redeploy.service" in shell.ran
    assert "systemctl start dokku-retire.timer" in shell.ran


def test_a_docker_restart_restores_the_apps_too(fs: Any, shell: Shell) -> None:
    fs.create_dir("/run/systemd/system")
    units.set_up()
    unit = Path(f"{units.UNITS}/dokku-redeploy.service").read_text()
    assert "PartOf=docker.service\n" in unit
    assert "WantedBy=docker.service\n" in unit


def test_units_of_older_releases_go_without_closing_the_apps(fs: Any, shell: Shell) -> None:
    fs.create_dir("/run/systemd/system")
    for name in units.FORMER:
        fs.create_file(f"{units.UNITS}/{name}")
    units.set_up()
    former = " ".join(units.FORMER)
    steps = [
        f"systemctl disable --quiet {former}",
        "systemctl daemon-reload",
        f"systemctl stop --quiet {former}",
    ]
    assert shell.ran[:3] == steps
    assert not any(Path(f"{units.UNITS}/{name}").exists() for name in units.FORMER)


def test_a_second_run_under_systemd_only_looks(fs: Any, shell: Shell) -> None:
    fs.create_dir("/run/systemd/system")
    units.set_up()
    shell.ran.clear()
    units.set_up()
    assert all(line.startswith(("systemctl is-enabled", "systemctl is-active")) for line in shell.ran)


def test_rsyslog_gets_a_rule_only_where_it_is(fs: Any, shell: Shell) -> None:
    units.set_up()
    assert not Path(units.RSYSLOG).exists()
    fs.create_dir("/etc/rsyslog.d")
    units.set_up()
    assert "/var/log/dokku/events.log\n" in Path(units.RSYSLOG).read_text()
    assert shell.ran == ["service rsyslog restart"]


def test_haproxy_has_a_unit_of_its_own_that_is_not_enabled_and_out_of_reach_of_docker(
    fs: Any, shell: Shell
) -> None:
    fs.create_dir("/run/systemd/system")
    units.set_up()
    unit = Path(haproxy.UNIT_FILE).read_text()
    assert f" -f {haproxy.ours().configuration}\n" in unit
    assert "User=dokku\n" in unit
    assert "InaccessiblePaths=-/run/docker.sock\n" in unit
    assert haproxy.is_unit(haproxy.ours())
    assert not haproxy.is_unit(haproxy.ours()._replace(configuration="/elsewhere/haproxy.cfg"))
    assert not [line for line in shell.ran if "haproxy" in line]


def test_rotation_runs_as_the_owner_of_each_directory(fs: Any, shell: Shell) -> None:
    units.set_up()
    rules = Path(units.LOGROTATE).read_text().partition("\n")[2].split("\n\n")
    assert [rule.split()[:5] for rule in rules] == [
        ["/var/log/dokku/*.log", "{", "su", "root", "adm"],
        ["/var/log/dokku/apps/*.log", "{", "su", "dokku", "dokku"],
        ["/var/log/dokku/haproxy/*.log", "{", "su", "root", "adm"],
    ]


def test_removing_leaves_none_of_it(fs: Any, shell: Shell) -> None:
    fs.create_dir("/etc/rsyslog.d")
    fs.create_dir("/run/systemd/system")
    units.set_up()
    units.remove()
    left = [path for path in Path("/etc").rglob("*") if "dokku" in path.name]
    assert left == []
    assert "systemctl disable --quiet dokku-retire.timer dokku-redeploy.service " in " ".join(shell.ran)

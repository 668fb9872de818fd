"""A dokku host under systemd: installed, rebooted by cutting its power, upgraded while it serves."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import acme
from tests.system import machine
from tests.system.machine import Machine

pytestmark = [pytest.mark.bare, pytest.mark.skipif(bool(machine.missing()), reason=machine.missing())]

CLONE = "/root/dokku"
APPS = ("hello", "second", "third")
DEPLOY = """
set -eu
files=$(mktemp -d)
cp -R /root/dokku/examples/hello/. "$files"
cp /bin/busybox "$files"
sed -i "s/It works/This is $1/" "$files/index.html" "$files/CHECKS"
dokku apps:create "$1"
tar -C "$files" -cf - . | dokku git:from-archive "$1" --
"""


@pytest.fixture(scope="module")
def host() -> Iterator[Machine]:
    """A machine with systemd, the sample app and two more."""
    with machine.running(init=True) as made:
        target = f"{made.root}{CLONE}"
        repository = str(Path(__file__).parents[2])
        subprocess.run(["git", "clone", "--quiet", "--no-local", repository, target], check=True)
        made.wait("systemctl is-system-running | grep -q -e running -e degraded")
        installed = made.sh(f"{CLONE}/bin/quickstart")
        assert installed.status == 0, installed.output
        for app in APPS[1:]:
            deployed = made.run("sh", "-c", DEPLOY, "deploy", app)
            assert deployed.status == 0, deployed.output
        yield made


def answers(host: Machine) -> dict[str, str]:
    """What each app says it is."""
    ask = "curl --silent --max-time 5 http://{}.dokku.localhost/"
    read = "grep -o -e 'It works' -e 'This is [a-z]*' | head -n 1"
    return {app: host.sh(f"{ask.format(app)} | {read}").output.strip() for app in APPS}


def test_systemd_runs_the_jobs(host: Machine) -> None:
    assert host.sh("systemctl is-active dokku-retire.timer").output == "active\n"
    assert host.sh("systemctl start dokku-retire.service").status == 0
    assert host.sh("systemctl --failed --no-legend").output == ""


def test_the_user_may_reload_nginx_and_nothing_else(host: Machine) -> None:
    """PRV-3"""
    allowed = host.sh("su dokku -c 'sudo -n /usr/sbin/nginx -t && sudo -n /usr/bin/systemctl reload nginx'")
    assert allowed.status == 0, allowed.output
    for command in ("/usr/bin/systemctl reload ssh", "/usr/sbin/nginx -t -c /tmp/x", "id"):
        assert host.sh(f"su dokku -c 'sudo -n {command}'").status != 0


def test_after_a_power_cut_every_app_answers_as_itself(host: Machine) -> None:
    """RBT-1, RBT-2"""
    expected = dict(zip(APPS, ("It works", "This is second", "This is third"), strict=True))
    assert answers(host) == expected
    host.sh("dokku ps:stop second")
    expected["second"] = answers(host)["second"]
    host.reboot()
    seen = []
    host.wait("systemctl is-active --quiet nginx")
    host.wait("systemctl is-active --quiet dokku-redeploy", also=lambda: seen.append(answers(host)))
    assert answers(host) == expected
    for found in seen:  # nobody, until it is itself
        assert all(said in ("", expected[app]) for app, said in found.items())
    assert host.sh("systemctl --failed --no-legend").output == ""


def test_a_docker_restart_brings_the_apps_back(host: Machine) -> None:
    """RBT-1, RBT-2"""
    before = answers(host)
    seen: list[dict[str, str]] = []
    for again in ("systemctl restart docker", "kill -9 $(cat /run/docker.pid)"):
        host.sh("systemctl show -p ActiveEnterTimestampMonotonic dokku-redeploy >/tmp/then")
        host.sh(f"{{ {again}; }} >/dev/null 2>&1 &")
        restored = "systemctl show -p ActiveEnterTimestampMonotonic dokku-redeploy | cmp -s - /tmp/then"
        done = f"systemctl is-active --quiet dokku-redeploy && ! {restored}"
        host.wait(done, also=lambda: seen.append(answers(host)))
        assert answers(host) == before
    astray = [found for found in seen for app, said in found.items() if said not in ("", before[app])]
    assert astray == []  # nobody, until it is itself: whatever addresses docker gave out
    assert any("" in found.values() for found in seen)


def test_an_upgrade_in_place_drops_no_request(host: Machine) -> None:
    """UPG-3"""
    host.sh("apt-get -qq install --yes --no-install-recommends apache2-utils >/dev/null 2>&1")
    containers = host.sh("docker container ls --quiet --no-trunc").output
    ab = "ab -q -t 10 -n 1000000 -c 8 -H 'Host: hello.dokku.localhost' http://127.0.0.1/"
    load = f"{ab} >/tmp/load 2>&1 & sleep 1; "
    upgrade = f"echo '# a change' >>{CLONE}/lib/deploy.py; {CLONE}/bin/install && wait"
    upgraded = host.sh(load + upgrade)
    assert upgraded.status == 0, upgraded.output
    assert "Installing the program" in upgraded.output
    report = host.sh("cat /tmp/load").output
    assert "Failed requests:        0" in report, report
    assert "Non-2xx" not in report
    assert host.sh("docker container ls --quiet --no-trunc").output == containers


def test_an_app_gets_a_certificate_from_an_authority(host: Machine) -> None:
    installed = host.sh("DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes pebble")
    assert installed.status == 0, installed.output
    place = Path(f"{host.root}/root/acme")
    place.mkdir()
    ports = acme.Ports(14000, 15000, 8053, 8055)
    authority, (resolving, issuing) = acme.furnish(place, "/root/acme", ports, 80)
    environment = [f"--setenv={name}={value}" for name, value in acme.ENVIRONMENT.items()]
    for words in (resolving, issuing):
        assert host.run("systemd-run", "--quiet", *environment, *words).status == 0
    trusted = Path(f"{host.root}/usr/local/share/ca-certificates/acme.crt")
    trusted.write_bytes(authority.path.read_bytes())
    host.sh("update-ca-certificates")
    host.wait("curl --silent --output /root/acme/issued https://localhost:15000/roots/0")
    server = "https://localhost:14000/dir"
    host.sh(f"dokku letsencrypt:set --global server {server}; dokku letsencrypt:set --global email me@me.com")
    enabled = host.sh("su dokku -c 'dokku letsencrypt:enable hello'")
    assert enabled.status == 0, enabled.output
    visited = "curl --silent --location --cacert /root/acme/issued http://hello.dokku.localhost/"
    assert "It works" in host.sh(visited).output
    (entry,) = (line for line in host.sh("crontab -l -u dokku").output.splitlines() if "auto-renew" in line)
    renewed = host.run("su", "dokku", "-c", entry.split(maxsplit=5)[5])
    assert (renewed.status, renewed.output) == (0, "")
    assert host.sh("dokku letsencrypt:revoke hello").status == 0
    assert answers(host)["hello"] == "It works"


def test_haproxy_comes_back_after_a_kill_and_a_power_cut(host: Machine) -> None:
    install = "apt-get -qq install --yes --no-install-recommends haproxy"
    installed = host.sh(f"systemctl mask --quiet haproxy && DEBIAN_FRONTEND=noninteractive {install}")
    assert installed.status == 0, installed.output
    moved = host.sh("dokku haproxy:start && dokku proxy:set third haproxy && dokku proxy:build-config third")
    assert moved.status == 0, moved.output
    served = "curl --silent --max-time 5 http://third.dokku.localhost:8080/ | grep --quiet 'This is third'"
    assert host.sh(served).status == 0
    assert answers(host)["third"] == ""
    host.sh("kill -KILL $(cat /var/lib/dokku/data/haproxy-vhosts/haproxy.pid)")
    host.wait(served)
    host.reboot()
    host.wait("systemctl is-active --quiet dokku-redeploy")
    assert host.sh(served).status == 0
    assert host.sh("su dokku -c 'dokku haproxy:stop'").status == 0
    assert host.sh("systemctl is-active dokku-haproxy; systemctl is-enabled dokku-haproxy").output == (
        "inactive\ndisabled\n"
    )

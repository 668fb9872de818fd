"""From a clean clone on a machine with nothing installed to an app that answers, and to a first git push."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import machine
from tests.system.machine import Machine, Result

pytestmark = [pytest.mark.bare, pytest.mark.skipif(bool(machine.missing()), reason=machine.missing())]

CLONE = "/root/dokku"
PROGRAMS = "dokku docker nginx sshd git sudo curl python3"
PAGE, TITLE = "It works", "Hello from dokku"
CHANGE = re.compile(
    "-----> (Installing|Making)|       (Added|Made|Wrote|Set|Linked|Removed|Starting|Reloaded) "
)
URL = "http://hello.dokku.localhost"
PUSH = """
set -eu
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
dokku ssh-keys:add admin /root/.ssh/id_ed25519.pub
export GIT_SSH_COMMAND='ssh -o StrictHostKeyChecking=accept-new -o BatchMode=yes'
cp -R /root/dokku/examples/hello /root/pushed
cp /bin/busybox /root/pushed/busybox
cd /root/pushed
sed -i 's/It works/Pushed by git/' index.html CHECKS
git init -q -b main
git add .
git -c user.name=a -c user.email=a@localhost commit -q -m first
git push dokku@127.0.0.1:pushed main
"""


@pytest.fixture(scope="module")
def bare() -> Iterator[Machine]:
    """A machine with nothing on it but a clean clone of this repository."""
    repository = Path(__file__).parents[2]
    with machine.running() as made:
        target = f"{made.root}{CLONE}"
        subprocess.run(["git", "clone", "--quiet", "--no-local", str(repository), target], check=True)
        yield made


@pytest.fixture(scope="module")
def first(bare: Machine) -> Result:
    """bin/quickstart on the bare machine: what it said."""
    found = bare.sh(f"for program in {PROGRAMS}; do command -v $program; done")
    assert found.output == ""
    return bare.sh(f"cd / && {CLONE}/bin/quickstart")


def test_quickstart_ends_with_the_url_of_the_sample_and_what_to_do_next(first: Result, bare: Machine) -> None:
    assert first.status == 0, first.output
    assert f"-----> {URL} answers: {TITLE}\n" in first.output
    assert f"It runs: {URL}" in first.output
    assert "<" not in first.output.replace("< ~/.ssh/id_ed25519.pub", "")
    address = bare.sh("hostname -I").output.split()[0]
    assert f"git push dokku@{address}:my-app main" in first.output
    assert f"dokku domains:set-global {address}.sslip.io" in first.output
    assert PAGE in bare.sh(f"curl --silent --fail {URL}/").output


def test_a_second_run_changes_nothing(first: Result, bare: Machine) -> None:
    containers = "docker container ls --all --no-trunc --format '{{.ID}} {{.State}}'"
    state = f"{containers}; ls -l --time-style=full-iso /opt/dokku /etc /home/dokku/hello"
    before = bare.sh(state).output
    second = bare.sh(f"cd /tmp && {CLONE}/bin/quickstart")
    assert second.status == 0, second.output
    assert "No changes detected" in second.output
    assert TITLE in second.output
    assert [line for line in second.output.splitlines() if CHANGE.match(line)] == []
    assert bare.sh(state).output == before


def test_the_program_is_out_of_the_apps_reach(first: Result, bare: Machine) -> None:
    """PRV-5, PRV-6"""
    assert bare.sh("find /opt/dokku ! -user root -o ! -type l -perm /022").output == ""
    source = "find /opt/dokku/current/ -path '*/lib/*.py' | wc -l"
    compiled = "find /opt/dokku/current/ -path '*/lib/*.pyc' | wc -l"
    assert bare.sh(source).output == bare.sh(compiled).output != "0\n"
    assert bare.sh("su dokku -c 'cp /bin/true /tmp/typer.py; cd /tmp; dokku version'").status == 0


def test_an_app_pushed_over_the_sample_is_left_alone(first: Result, bare: Machine) -> None:
    repository = "/home/dokku/hello"
    commit = "git -c user.name=a -c user.email=a@b commit-tree -m mine $(git mktree </dev/null)"
    bare.sh(
        f"su dokku -c 'cd {repository}; before=$(git rev-parse HEAD); echo $before >/tmp/before;"
        f" git update-ref HEAD $({commit})'"
    )
    again = bare.sh(f"{CLONE}/bin/quickstart")
    bare.sh(f"su dokku -c 'git --git-dir={repository} update-ref HEAD $(cat /tmp/before)'")
    assert again.status == 0, again.output
    assert "left as it is" in again.output
    assert "git update" not in again.output


def test_a_directory_to_mount_can_be_given_away_and_nothing_else(first: Result, bare: Machine) -> None:
    """PRV-4"""
    place = "/var/lib/dokku/data/storage"
    made = bare.sh(f"dokku storage:ensure-directory shared && stat --format=%u:%g {place}/shared")
    assert made.output.endswith("       Directory ready for mounting\n32767:32767\n"), made.output
    own = "sudo -n /opt/dokku/current/bin/own-storage"
    bare.sh(f"su dokku -c 'ln -s /etc {place}/link'")
    for words in ("link 1000", "../../../etc 1000", ". 1000", "shared 99999"):
        assert bare.sh(f"su dokku -c '{own} {words}'").status == 1
    assert bare.sh("su dokku -c 'sudo -n chown dokku /etc'").status != 0
    assert bare.sh("stat --format=%u:%g /etc").output == "0:0\n"


def test_an_unknown_host_is_answered_by_nobody(first: Result, bare: Machine) -> None:
    """NGX-8"""
    assert bare.sh("curl --silent http://nobody.dokku.localhost/").status == 52  # hung up without a word


def test_a_pushed_app_is_served_under_its_name(first: Result, bare: Machine) -> None:
    pushed = bare.sh(PUSH)
    assert pushed.status == 0, pushed.output
    assert "Pushed by git" in bare.sh("curl --silent --fail http://pushed.dokku.localhost/").output
    assert PAGE in bare.sh(f"curl --silent --fail {URL}/").output


def test_the_key_opens_no_shell(first: Result, bare: Machine) -> None:
    """SSH-5"""
    bare.sh("test -e /root/.ssh/id_ed25519 || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519")
    bare.sh("dokku ssh-keys:add shell /root/.ssh/id_ed25519.pub")
    ssh = "ssh -o StrictHostKeyChecking=accept-new -o BatchMode=yes dokku@127.0.0.1"
    assert bare.sh(f"{ssh} version").output.startswith("dokku version ")
    assert bare.sh(f"{ssh} 'version; touch /tmp/canary'").status != 0
    assert bare.sh("test -e /tmp/canary").status == 1


def test_after_a_reboot_install_brings_everything_back(first: Result, bare: Machine) -> None:
    """RBT-1"""
    bare.reboot()
    assert bare.sh(f"curl --silent {URL}/").status == 7  # nobody has started anything
    again = bare.sh(f"{CLONE}/bin/install")
    assert again.status == 0, again.output
    assert PAGE in bare.sh(f"curl --silent --fail {URL}/").output


def test_uninstall_leaves_the_apps_and_install_takes_them_over_again(first: Result, bare: Machine) -> None:
    removed = bare.sh(f"{CLONE}/bin/uninstall --yes")
    assert removed.status == 0, removed.output
    places = "/usr/bin/dokku /usr/bin/plugn /opt/dokku /etc/sudoers.d/dokku-* /etc/cron.d/dokku-*"
    assert bare.sh(f"ls -d {places} 2>/dev/null").output == ""
    assert bare.sh("test -d /home/dokku/hello").status == 0
    again = bare.sh(f"{CLONE}/bin/quickstart")
    assert again.status == 0, again.output
    assert TITLE in again.output


def test_purge_leaves_nothing_but_packages(first: Result, bare: Machine) -> None:
    removed = bare.sh(f"{CLONE}/bin/uninstall --purge --yes")
    assert removed.status == 0, removed.output
    script = (
        "ls -d /home/dokku /var/lib/dokku /var/log/dokku /etc/default/dokku 2>/dev/null; getent passwd dokku"
    )
    assert bare.sh(script).output == ""
    assert bare.sh("grep -rl dokku /etc | grep -v -e '-$'").output == ""  # passwd- and the like are backups
    assert bare.sh("ls -d /var/*/*dokku* /var/*/*/*dokku* /opt/*dokku* 2>/dev/null").output == ""
    docker = "cd /var/lib/docker && find containers image/overlay2/imagedb/content/sha256 -mindepth 1"
    left = bare.sh(docker)
    assert (left.status, left.output) == (0, "")

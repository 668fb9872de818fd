"""What bin/install says before it changes anything, on a machine with nothing installed."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import machine
from tests.system.machine import Machine

pytestmark = [pytest.mark.bare, pytest.mark.skipif(bool(machine.missing()), reason=machine.missing())]

CLONE = "/root/dokku"
CHECK = f"{CLONE}/bin/install --check"
LISTEN = """perl -e 'use Socket; socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
bind($s, sockaddr_in({port}, INADDR_ANY)) or die;
listen($s, 1) or die; sleep 600' >/dev/null 2>&1 & echo $!"""


@pytest.fixture(scope="module")
def bare() -> Iterator[Machine]:
    """A machine with nothing on it but a clean clone of this repository."""
    with machine.running() as made:
        tree = str(Path(__file__).parents[2])
        clone = ["git", "clone", "--quiet", "--no-local", tree, f"{made.root}{CLONE}"]
        subprocess.run(clone, check=True)
        yield made


def _packages(bare: Machine) -> str:
    return bare.sh("dpkg-query -W; ls /opt /home").output


def test_a_bare_machine_has_nothing_in_the_way_and_is_left_as_it_is(bare: Machine) -> None:
    before = _packages(bare)
    checked = bare.sh(CHECK)
    assert checked.status == 0, checked.output
    assert checked.output.splitlines()[-1].startswith("-----> Nothing is in the way")
    assert _packages(bare) == before


@pytest.mark.parametrize("port", [80, 443])
def test_a_port_that_another_program_has_is_named_with_that_program(bare: Machine, port: int) -> None:
    before = _packages(bare)
    pid = bare.sh(LISTEN.format(port=port)).output.strip()
    bare.wait(f"grep -q ':{port:04X} 00000000:0000 0A' /proc/net/tcp")
    try:
        refused = bare.sh(f"{CLONE}/bin/install")
    finally:
        bare.sh(f"kill {pid}")
    assert refused.status == 1
    assert f" !     Port {port} is held by perl (pid {pid})\n" in refused.output
    assert refused.output.endswith(" !     Nothing was changed\n")
    assert _packages(bare) == before


@pytest.mark.parametrize("place", ["/opt", "/var/lib/docker", "/home"])
def test_a_small_disk_is_told_with_what_it_needs(bare: Machine, place: str) -> None:
    bare.sh(f"mkdir -p {place} && mount -t tmpfs -o size=10m none {place}")
    checked = bare.sh(CHECK)
    bare.sh(f"umount {place}; rmdir /var/lib/docker 2>/dev/null")
    assert checked.status == 1
    assert f" !     {place} has 10 MB left, and " in checked.output


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--home-dir /srv/www --shell /bin/bash", "There is a user dokku already, whose home is /srv/www"),
        ("--home-dir /home/dokku --shell /usr/sbin/nologin", "The user dokku may not log in"),
    ],
)
def test_a_user_of_the_name_that_is_meant_for_something_else_is_told(
    bare: Machine, flags: str, said: str
) -> None:
    bare.sh(f"useradd --system {flags} dokku")
    checked = bare.sh(CHECK)
    bare.sh("userdel dokku")
    assert checked.status == 1
    assert said in checked.output


def test_an_unknown_word_is_refused_with_the_usage(bare: Machine) -> None:
    refused = bare.sh(f"{CLONE}/bin/install --chek")
    assert refused.status == 1
    assert "Usage: bin/install [--domain NAME] [--check]" in refused.output

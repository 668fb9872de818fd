"""version --verbose: what is told of dokku itself and of the programs around it."""

import json
import os

import pytest

from lib.base import files, log, settings
from lib.base.errors import DokkuError
from lib.host import versions


@pytest.fixture(autouse=True)
def programs(fs, shell):
    """git, nginx and docker are there; nothing else answers."""
    shell.answers("git --version", out="git version 2.39.5\n")
    shell.answers("/usr/sbin/nginx -v", err="nginx version: nginx/1.22.1\n")
    shell.answers("docker version …", out="20.10.24+dfsg1\n")
    for name in ("/usr/sbin/haproxy -v", "lego --version", "ssh -V"):
        shell.answers(name, err="not found\n", status=127)


def shown(shape):
    with log.collected() as said:
        versions.show(shape)
    return b"".join(data for _, data in said).decode()


def test_the_first_line_is_that_of_the_plain_command():
    assert shown("stdout").splitlines()[0] == f"dokku version {settings.VERSION}"


def test_programs_are_told_by_their_numbers_and_absent_ones_not_at_all():
    known = json.loads(shown("json"))
    assert (known["git"], known["nginx"], known["docker"]) == ("2.39.5", "1.22.1", "20.10.24+dfsg1")
    assert not {"haproxy", "lego", "ssh"} & known.keys()
    assert (known["version"], known["contract"]) == (settings.VERSION, "0.24")


def test_an_installed_program_knows_its_commit(fs):
    assert "commit" not in json.loads(shown("json"))
    files.replace(os.path.join(versions.TREE, versions.COMMIT), "abc1234 2026-12-01\n")
    known = json.loads(shown("json"))
    assert (known["commit"], known["date"]) == ("abc1234", "2026-12-01")


def test_another_shape_is_refused():
    with pytest.raises(DokkuError, match="Invalid output format"):
        versions.show("yaml")

"""Programs of one id: who may start while another runs."""

import os

import pytest
from pyfakefs.fake_filesystem import FakeFilesystem

from lib.base import settings
from lib.base.errors import DokkuError
from lib.runtime import concurrency
from tests.conftest import Shell

APP, ID, OTHER = "blog", "job/../=", "f" * 64
LOOKED = (
    "docker container ls --quiet --no-trunc --filter=label=com.dokku.app-name=blog "
    "--filter=label=com.dokku.cron-id=job/../= '--filter=name=^/blog\\.run\\.'"
)


@pytest.fixture(autouse=True)
def _app(fs: FakeFilesystem) -> None:
    os.makedirs(settings.app_dir(APP))


def may_start(policy: str, id_: str = ID) -> bool:
    with concurrency.turn(APP, id_, policy) as is_ours:
        return is_ours


@pytest.mark.parametrize("policy", ["", "allow"])
def test_who_is_allowed_asks_nobody(shell: Shell, policy: str) -> None:
    assert may_start(policy)
    assert shell.ran == []


def test_who_must_be_alone_does_not_start_beside_another(shell: Shell) -> None:
    shell.answers("docker container ls …", f"{OTHER}\n")
    shell.answers("docker container ls …", "")
    assert not may_start("forbid")
    assert may_start("forbid")
    assert shell.ran == [LOOKED, LOOKED]


def test_who_replaces_stops_the_other_first(shell: Shell) -> None:
    shell.answers("docker container ls …", f"{OTHER}\n")
    with concurrency.turn(APP, ID, "replace") as is_ours:
        assert is_ours
        assert shell.ran[0] == LOOKED
        assert shell.ran[-1].startswith("docker container stop ")
        assert shell.ran[-1].endswith(OTHER)


def test_the_file_of_an_id_stays_in_its_place_whatever_the_id_is(shell: Shell) -> None:
    shell.answers("docker container ls …", "")
    may_start("forbid")
    (name,) = os.listdir(settings.data("cron", APP))
    assert name.isalnum()


@pytest.mark.parametrize(
    ("policy", "id_", "text"),
    [
        ("Forbid", ID, "valid policies include: allow, forbid, replace"),
        ("forbid", "", "needs --cron-id"),
        ("replace", "", "needs --cron-id"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(policy: str, id_: str, text: str) -> None:
    with pytest.raises(DokkuError, match=text):
        concurrency.verify(policy, id_)


def test_a_policy_that_changes_nothing_needs_no_id() -> None:
    concurrency.verify("", "")
    concurrency.verify("allow", "")

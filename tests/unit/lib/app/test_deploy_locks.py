"""apps:lock and its kin: an operator's lock beside that of a deploy under way."""

import os

import pytest

from lib.app import app_reports, deploy_locks
from lib.base import locks, log, settings
from lib.base.errors import DokkuError, Locked

APP = "blog"


@pytest.fixture(autouse=True)
def said(shell):
    """What the code under test writes. On real files, as locks want them."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


def text_of(said):
    return b"".join(data for _, data in said).decode()


def test_a_lock_holds_until_it_is_taken_away(said):
    deploy_locks.lock(APP)
    deploy_locks.tell(APP)
    with pytest.raises(Locked), locks.deploy(APP):
        pass
    deploy_locks.unlock(APP)
    with locks.deploy(APP):
        pass
    assert text_of(said) == "-----> Deploy lock created\nDeploy lock exists\n-----> Deploy lock removed\n"


def test_no_lock_is_told_by_a_failure():
    with pytest.raises(DokkuError, match="Deploy lock does not exist"):
        deploy_locks.tell(APP)
    with pytest.raises(DokkuError, match="Unable to remove deploy lock"):
        deploy_locks.unlock(APP)


def test_a_deploy_under_way_counts_as_a_lock_and_is_not_stopped(said):
    """LCK-5"""
    with locks.deploy(APP):
        deploy_locks.tell(APP)
        told = {row.flag: row.value for row in app_reports.rows(APP)}
        assert told["--app-locked"] == "true"
        with pytest.raises(DokkuError, match="Unable to remove deploy lock"):
            deploy_locks.unlock(APP)
        assert locks.is_running(APP)
    assert text_of(said).endswith(
        " !     A deploy may be in progress.\n"
        " !     Removing the app lock will not stop in progress deploys.\n"
    )


def test_an_operators_lock_can_be_taken_from_a_deploy_under_way():
    with locks.deploy(APP):
        deploy_locks.lock(APP)
        deploy_locks.unlock(APP)
        assert not os.path.exists(locks.manual_path(APP))
        assert locks.is_running(APP)

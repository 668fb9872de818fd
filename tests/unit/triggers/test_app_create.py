"""app-create, app-maybe-create, app-exists and app-destroy: apps for plugins."""

import os

import pytest

from lib.base import log, settings, triggers
from lib.base.errors import AppNotFound, DokkuError
from triggers import app_create, app_destroy, app_exists, app_maybe_create

create, maybe, exists, destroy = (
    module.HANDLERS["apps"] for module in (app_create, app_maybe_create, app_exists, app_destroy)
)


@pytest.fixture(autouse=True)
def said(shell):
    """What the code under test writes. On real files, as locks want them."""
    os.makedirs(settings.root())
    with log.collected() as lines:
        yield lines


def test_an_app_is_made_once():
    create("blog")
    with pytest.raises(DokkuError, match="Name is already taken"):
        create("blog")


def test_an_app_is_made_unless_it_is_there(said):
    maybe("blog")
    maybe("blog")
    assert os.path.isdir(settings.app_dir("blog"))
    assert said == []


def test_an_app_is_there_or_not():
    create("blog")
    exists("blog")
    with pytest.raises(AppNotFound):
        exists("nope")
    with pytest.raises(DokkuError) as refused:
        triggers.fire("app-exists", "Nope")
    assert refused.value.exit_code == 1


def test_an_app_is_destroyed_without_a_question():
    create("blog")
    destroy("blog")
    assert os.listdir(settings.root()) == []
    with pytest.raises(AppNotFound):
        destroy("blog")

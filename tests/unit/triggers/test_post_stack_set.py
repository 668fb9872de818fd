"""What an app's stack and its name are for the build cache; and who answers when a build asks."""

import os

import pytest

from lib.base import files, properties, settings
from lib.build import caches
from triggers import buildpack_stack_name, post_delete, post_stack_set

APP, OTHER = "blog", "shop"


@pytest.fixture(autouse=True)
def cache(fs):
    for app in (APP, OTHER):
        files.replace(f"{settings.app_dir(app)}/cache/gems", app)


def cached(app):
    return os.path.exists(f"{settings.app_dir(app)}/cache")


@pytest.mark.parametrize(
    "drop",
    [
        lambda: post_stack_set.HANDLERS["repo"](APP, "stack:2"),
        lambda: post_delete.HANDLERS["builder-herokuish"](APP, "latest"),
    ],
    ids=["another stack", "no app"],
)
def test_the_cache_of_this_app_goes_and_no_other(drop):
    drop()
    assert (cached(APP), cached(OTHER)) == (False, True)


def test_the_cache_moves_with_a_new_name(fs):
    os.makedirs(settings.app_dir("new"))
    caches.move(APP, "new")
    assert (cached(APP), files.read(f"{settings.app_dir('new')}/cache/gems")) == (False, APP)


def test_only_a_chosen_stack_is_named():
    answer = buildpack_stack_name.HANDLERS["buildpacks"]
    assert answer(APP) == ""
    properties.write("buildpacks", APP, "stack", "stack:1")
    assert answer(APP) == "stack:1\n"

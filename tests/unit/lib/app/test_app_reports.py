"""apps:list and apps:report: what is told of apps."""

import json
import os

import pytest

from lib.app import app_reports
from lib.base import files, log, properties, settings

APP = "blog"
FLAGS = [
    "--app-created-at",
    "--app-deploy-source",
    "--app-deploy-source-metadata",
    "--app-dir",
    "--app-locked",
]


@pytest.fixture(autouse=True)
def said(shell):
    """What the code under test writes. On real files, as locks want them."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


def row(name):
    return next(row.value for row in app_reports.rows(APP) if row.flag == f"--app-{name}")


def test_the_rows_are_dokkus_and_newer_ones_are_marked():
    rows = app_reports.rows(APP)
    assert [row.flag for row in rows] == FLAGS
    assert [row.flag for row in rows if row.newer] == ["--app-created-at", "--app-deploy-source-metadata"]


def test_an_app_that_was_just_made_has_no_source():
    os.makedirs(os.path.join(settings.app_dir(APP), "refs/heads"))
    assert row("deploy-source") == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [("refs/heads/main", "1" * 40), ("packed-refs", f"# pack-refs\n{'1' * 40} refs/heads/main\n")],
)
def test_an_app_with_a_branch_came_by_git(name, text):
    os.makedirs(os.path.join(settings.app_dir(APP), "refs/heads"))
    files.replace(os.path.join(settings.app_dir(APP), name), text)
    assert row("deploy-source") == "git"


def test_a_source_that_was_noted_is_told():
    properties.write("apps", APP, "deploy-source", "docker-image")
    properties.write("apps", APP, "deploy-source-metadata", "nginx:1")
    assert (row("deploy-source"), row("deploy-source-metadata")) == ("docker-image", "nginx:1")


def test_the_directory_is_told():
    assert row("dir") == settings.app_dir(APP)


def test_names_are_listed_below_a_heading_or_as_json(said):
    app_reports.list_apps("stdout")
    app_reports.list_apps("json")
    assert [data.decode() for _, data in said[:2]] == ["=====> My Apps\n", f"{APP}\n"]
    assert json.loads(said[2][1]) == [APP]

"""post-extract APP DIR REVISION: a bad Procfile or app.json stops the deploy before anything is built."""

import os

import pytest

from lib.base import properties
from lib.base.errors import DokkuError
from triggers import post_extract

HANDLER = post_extract.HANDLERS["ps"]


def test_a_good_procfile_and_none_pass(tmp_path):
    HANDLER("blog", str(tmp_path), "f" * 40)
    (tmp_path / "Procfile").write_text("web: serve\n")
    HANDLER("blog", str(tmp_path), "f" * 40)


def test_a_bad_procfile_stops_the_deploy(tmp_path):
    (tmp_path / "Procfile").write_text("web: serve\nnonsense\n")
    with pytest.raises(DokkuError, match="Invalid Procfile: line 2: "):
        HANDLER("blog", str(tmp_path), "f" * 40)


def test_a_procfile_that_leads_out_of_the_tree_is_not_read(tmp_path):
    """GIT-9"""
    (tmp_path / "elsewhere").write_text("nonsense\n")
    (tmp_path / "tree").mkdir()
    os.symlink(tmp_path / "elsewhere", tmp_path / "tree/Procfile")
    HANDLER("blog", str(tmp_path / "tree"), "f" * 40)


def test_a_procfile_elsewhere_takes_the_usual_place(tmp_path):
    properties.write("ps", "blog", "procfile-path", "ops/Procfile")
    (tmp_path / "Procfile").write_text("web: usual\n")
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops/Procfile").write_text("web: chosen\n")
    HANDLER("blog", str(tmp_path), "f" * 40)
    assert (tmp_path / "Procfile").read_text() == "web: chosen\n"


def test_a_bad_app_json_stops_the_deploy(tmp_path):
    (tmp_path / "app.json").write_text('{\n"cron": 1}')
    with pytest.raises(DokkuError, match=r"Cannot parse app.json: line 2: cron must be a list"):
        post_extract.HANDLERS["app-json"]("blog", str(tmp_path), "f" * 40)


def test_the_apps_buildpacks_are_put_into_the_source(tmp_path):
    url = "https://github.com/heroku/heroku-buildpack-ruby.git"
    properties.write_list("buildpacks", "blog", "buildpacks", [url])
    post_extract.HANDLERS["buildpacks"]("blog", str(tmp_path), "f" * 40)
    assert (tmp_path / ".buildpacks").read_text() == f"{url}\n"


def test_a_source_without_buildpacks_stays_as_it_is(tmp_path):
    post_extract.HANDLERS["buildpacks"]("blog", str(tmp_path), "f" * 40)
    assert list(tmp_path.iterdir()) == []


def test_a_bad_schedule_stops_the_deploy(tmp_path):
    (tmp_path / "app.json").write_text('{"cron": [{"command": "a", "schedule": "* * * *"}]}')
    with pytest.raises(
        DokkuError, match=r"cron\[0\]: invalid schedule \* \* \* \*: expected exactly 5 fields"
    ):
        post_extract.HANDLERS["cron"]("blog", str(tmp_path), "f" * 40)

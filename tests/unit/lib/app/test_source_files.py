"""Where an app keeps its app.json and its Procfile, and how they get to their usual places."""

import os

import pytest

from lib.app import source_files
from lib.app.source_files import APP_JSON, PROCFILE
from lib.base import files, log, properties, settings
from lib.base.errors import DokkuError

APP = "blog"
TREE = "/tree"


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes. On an empty source tree."""
    os.makedirs(settings.app_dir(APP))
    os.makedirs(TREE)
    with log.collected() as lines:
        yield lines


def put(name, text):
    files.replace(os.path.join(TREE, name), text)


def test_a_file_is_at_the_top_unless_somebody_says_otherwise():
    assert (source_files.path(APP_JSON, APP), source_files.places(APP)) == ("app.json", {})
    source_files.set_path(APP_JSON, properties.GLOBAL, "appjson-path", "all/app.json")
    assert source_files.path(APP_JSON, APP) == "all/app.json"
    source_files.set_path(APP_JSON, APP, "appjson-path", "./own//app.json")
    assert source_files.places(APP) == {"app.json": "own/app.json"}
    source_files.set_path(APP_JSON, APP, "appjson-path", "")
    assert source_files.path(APP_JSON, APP) == "all/app.json"


def test_a_setting_is_told(said):
    source_files.set_path(PROCFILE, APP, "procfile-path", "ops/Procfile")
    source_files.set_path(PROCFILE, APP, "procfile-path", "")
    assert [data for _, data in said] == [
        b"=====> Setting procfile-path to ops/Procfile\n",
        b"=====> Unsetting procfile-path\n",
    ]


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", ".", "a\nb"])
def test_a_path_that_leads_out_is_refused(path):
    with pytest.raises(DokkuError, match="Invalid procfile-path specified: "):
        source_files.set_path(PROCFILE, APP, "procfile-path", path)
    assert source_files.path(PROCFILE, APP) == "Procfile"


@pytest.mark.parametrize("key", ["", "path"])
def test_another_key_is_refused(key):
    with pytest.raises(DokkuError, match="key specified"):
        source_files.set_path(APP_JSON, APP, key, "x")


def test_the_file_at_the_usual_place_is_left_alone():
    put("app.json", "{}")
    assert source_files.place(APP_JSON, APP, TREE) == "{}"
    assert os.listdir(TREE) == ["app.json"]


def test_the_chosen_file_takes_the_usual_place():
    put("app.json", "usual")
    put("ops/app.json", "chosen")
    source_files.set_path(APP_JSON, APP, "appjson-path", "ops/app.json")
    assert source_files.place(APP_JSON, APP, TREE) == "chosen"
    assert files.read(f"{TREE}/app.json") == "chosen"


def test_a_chosen_file_that_is_not_there_means_none():
    put("app.json", "usual")
    source_files.set_path(APP_JSON, APP, "appjson-path", "ops/app.json")
    assert source_files.place(APP_JSON, APP, TREE) is None
    assert os.listdir(TREE) == []


def test_a_link_out_of_the_source_is_no_file():
    """GIT-9"""
    files.replace("/etc/secret", "secret")
    os.symlink("/etc/secret", f"{TREE}/app.json")
    assert source_files.place(APP_JSON, APP, TREE) is None


def test_a_file_that_is_too_large_is_not_taken_for_none():
    put("Procfile", "#" * source_files.MOST_BYTES)
    assert source_files.place(PROCFILE, APP, TREE) == "#" * source_files.MOST_BYTES
    put("Procfile", "#" * source_files.MOST_BYTES + "\n")
    with pytest.raises(DokkuError, match=r"^Procfile is larger than 1024 KB$"):
        source_files.place(PROCFILE, APP, TREE)


def test_a_report_has_the_own_the_general_and_the_effective_path():
    properties.write("app-json", properties.GLOBAL, "appjson-path", "all.json")
    rows = {row.flag: row.value for row in source_files.rows(APP_JSON, APP)}
    assert rows == {
        "--app-json-appjson-path": "",
        "--app-json-global-appjson-path": "all.json",
        "--app-json-computed-appjson-path": "all.json",
    }

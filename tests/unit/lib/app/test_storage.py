"""storage:*: mounts are options of the phases deploy and run."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.app import options, storage
from lib.base import files, log, settings
from lib.base.errors import DokkuError
from lib.base.report import Row

APP = "blog"
PATHS = "Storage path must be two valid paths divided by colon."
VOLUME = (
    "Volume name must be two characters or more. Volume name must not contain invalid characters. " + PATHS
)


@pytest.fixture
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


def text_of(said):
    return b"".join(data for _, data in said).decode()


def both():
    return [storage.mounts(APP, phase) for phase in storage.PHASES]


def test_a_mount_is_an_option_of_deploy_and_run(said):
    storage.mount(APP, "/data:/app/data")
    assert [options.lines(APP, phase) for phase in options.PHASES] == [
        [],
        ["-v /data:/app/data"],
        ["-v /data:/app/data"],
    ]
    storage.unmount(APP, "/data:/app/data")
    assert both() == [[], []]
    assert text_of(said) == ""


@pytest.mark.parametrize(
    "spec",
    [
        "/a:/b",
        "/a:/b:ro",
        "/a:/b:rw,z",
        "vol:/b",
        "my_vol.1-x:/b:ro",
        "/a b:/c d",
        "/a$(id):/b",
        "/é:/b",
        "/a/..b:/c",
    ],
)
def test_what_docker_can_mount_is_taken_and_comes_back(said, spec):
    storage.mount(APP, spec)
    assert both() == [[spec], [spec]]
    assert options.words(options.lines(APP, "deploy")[0]) == ["-v", spec]
    storage.unmount(APP, spec)
    assert both() == [[], []]


@pytest.mark.parametrize(
    "spec",
    ["/a", "/a:", "/a:b", "/a:/b:", "/a:/b:c:d", "/a/../b:/c", "/a:/../b", "/a:/", "/a\n:/b", "/a:/b:r o"],
)
def test_a_path_that_is_none_is_refused(said, spec):
    """NAME-14"""
    with pytest.raises(DokkuError) as refusal:
        storage.mount(APP, spec)
    assert refusal.value.text == PATHS
    assert both() == [[], []]


@pytest.mark.parametrize(
    "spec", ["", "x", "v:/b", "-v:/b", "vol", "vol:b", "vol name:/b", "$(id):/b", "a/b:/c"]
)
def test_a_volume_that_is_none_is_refused(said, spec):
    """NAME-14"""
    with pytest.raises(DokkuError) as refusal:
        storage.mount(APP, spec)
    assert refusal.value.text == VOLUME
    assert both() == [[], []]


def test_a_mount_is_there_once_and_others_may_begin_like_it(said):
    storage.mount(APP, "/a:/b")
    with pytest.raises(DokkuError) as refusal:
        storage.mount(APP, "/a:/b")
    assert refusal.value.text == "Mount path already exists."
    storage.mount(APP, "/a:/bc")
    with pytest.raises(DokkuError) as refusal:
        storage.unmount(APP, "/a:")
    assert refusal.value.text == "Mount path does not exist."
    assert both() == [["/a:/b", "/a:/bc"]] * 2


def test_mounts_among_other_options_are_found_and_taken_out(said):
    files.replace(
        options.path(APP, "deploy"),
        "# -v /no:/no\n--cpus 1 -v '/a b:/c' --volume=/d:/e -e 'A=x y'\n--volume /f:/g\n-v/h:/i\n",
    )
    assert storage.mounts(APP, "deploy") == ["/a b:/c", "/d:/e", "/f:/g", "/h:/i"]
    storage.unmount(APP, "/a b:/c")
    storage.unmount(APP, "/f:/g")
    assert options.lines(APP, "deploy") == ["--cpus 1 --volume=/d:/e -e 'A=x y'", "-v/h:/i"]
    assert "# -v /no:/no\n" in files.read(options.path(APP, "deploy"))


def test_the_list_is_for_people_scripts_and_programs(said, monkeypatch):
    storage.mount(APP, "/a:/b:ro")
    storage.mount(APP, "vol:/c")
    said.clear()
    storage.show(APP, "stdout")
    assert text_of(said) == "blog volume bind-mounts:\n     /a:/b:ro\n     vol:/c\n"
    said.clear()
    storage.show(APP, "json")
    assert json.loads(text_of(said)) == [
        {"host_path": "/a", "container_path": "/b", "volume_options": "ro"},
        {"host_path": "vol", "container_path": "/c"},
    ]
    said.clear()
    monkeypatch.setenv("DOKKU_QUIET_OUTPUT", "1")
    storage.show(APP, "stdout")
    assert text_of(said) == "/a:/b:ro\nvol:/c\n"
    with pytest.raises(DokkuError):
        storage.show(APP, "yaml")


def test_the_report_has_the_mounts_of_each_phase(said):
    options.add(APP, ["build"], "-v /x:/y")
    storage.mount(APP, "/a:/b")
    storage.mount(APP, "/c:/d")
    assert storage.rows(APP) == [
        Row("--storage-build-mounts", "-v /x:/y"),
        Row("--storage-deploy-mounts", "-v /a:/b -v /c:/d"),
        Row("--storage-run-mounts", "-v /a:/b -v /c:/d"),
    ]


@given(st.text(alphabet="/ab.: $'\"\n-", max_size=12))
def test_what_is_taken_is_two_absolute_paths_or_a_volume_and_a_path(spec):
    """NAME-14"""
    try:
        found = storage.parse(spec)
    except DokkuError:
        return
    assert str(found) == spec
    assert found.container.startswith("/")
    assert found.host.startswith("/") or "/" not in found.host
    assert "\n" not in spec
    assert ".." not in (*found.host.split("/"), *found.container.split("/"))

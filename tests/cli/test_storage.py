"""storage:* as a user calls it. What containers see of it is in tests/system."""

import json
import os

import pytest

from tests.cli.conftest import TREE

PATHS = "Storage path must be two valid paths divided by colon."


@pytest.fixture
def blog(dokku):
    """An app that was never deployed; its directory."""
    return dokku.make_app("blog")


def refusal(text, code=1):
    return ("", f" !     {text}\n", code)


@pytest.mark.parametrize(("name", "words"), [("list", []), ("mount", ["/a:/b"]), ("unmount", ["/a:/b"])])
def test_an_app_has_to_be_named_and_to_exist(dokku, name, words):
    assert dokku(f"storage:{name}") == refusal("Please specify an app to run the command on")
    assert dokku(f"storage:{name}", "nope", *words) == refusal("App nope does not exist", 20)


def test_a_mount_comes_and_goes_without_a_word(dokku, blog):
    before = (blog / "DOCKER_OPTIONS_DEPLOY").read_text()
    assert dokku("storage:mount", "blog", "/tmp/mount:/mount") == ("", "", 0)
    assert (blog / "DOCKER_OPTIONS_RUN").read_text() == "-v /tmp/mount:/mount\n"
    assert dokku("storage:list", "blog") == ("blog volume bind-mounts:\n     /tmp/mount:/mount\n", "", 0)
    assert dokku("--quiet", "storage:list", "blog").out == "/tmp/mount:/mount\n"
    assert json.loads(dokku("storage:list", "blog", "--format=json").out) == [
        {"host_path": "/tmp/mount", "container_path": "/mount"}
    ]
    assert dokku("storage:report", "blog").out.splitlines() == [
        "=====> blog storage information",
        "       Storage build mounts:                                   ",
        "       Storage deploy mounts:         -v /tmp/mount:/mount     ",
        "       Storage run mounts:            -v /tmp/mount:/mount     ",
    ]
    assert dokku("storage:report", "blog", "--storage-deploy-mounts").out == "-v /tmp/mount:/mount\n"
    assert dokku("storage:mount", "blog", "/tmp/mount:/mount") == refusal("Mount path already exists.")
    assert dokku("storage:unmount", "blog", "/tmp/mount:/mount") == ("", "", 0)
    assert dokku("storage:unmount", "blog", "/tmp/mount:/mount") == refusal("Mount path does not exist.")
    assert (blog / "DOCKER_OPTIONS_DEPLOY").read_text() == before


def test_what_can_not_be_mounted_is_refused_in_dokkus_words(dokku, blog):
    """NAME-14"""
    assert dokku("storage:mount", "blog", "/tmp/mount") == refusal(PATHS)
    name = "Volume name must be two characters or more. Volume name must not contain invalid characters."
    assert dokku("storage:mount", "blog", "v:/mount") == refusal(f"{name} {PATHS}")


def test_a_mount_through_ssh_may_be_quoted(dokku, blog):
    assert dokku.ssh("storage:mount blog '/tmp/a b:/c'").code == 0
    assert dokku("--quiet", "storage:list", "blog").out == "/tmp/a b:/c\n"
    assert (blog / "DOCKER_OPTIONS_RUN").read_text() == "-v '/tmp/a b:/c'\n"


def test_plugins_are_told_the_mounts(dokku, blog):
    dokku("storage:mount", "blog", "/a:/b")
    dokku("docker-options:add", "blog", "build", "-v /c:/d")
    listener = 'printf "%s" "$(plugn trigger storage-list blog)/$(plugn trigger storage-list blog build)"\n'
    dokku.plugin("asker", commands=f"#!/bin/bash\n[[ $1 == ask ]] || exit 10\n{listener}")
    os.symlink(TREE / "bin/plugn", dokku.bin / "plugn")
    assert dokku("ask").out == "/a:/b//c:/d"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives directories away")
def test_a_directory_is_made_for_the_user_of_the_containers(dokku):
    place = dokku.lib / "data/storage/node-app"
    first = dokku("storage:ensure-directory", "node-app")
    assert first == (
        f"-----> Ensuring {place} exists\n"
        "       Setting directory ownership to 32767:32767\n"
        "       Directory ready for mounting\n",
        "",
        0,
    )
    assert (place.stat().st_uid, place.stat().st_gid) == (32767, 32767)
    assert dokku("storage:ensure-directory", "--chown", "1234", "node-app").code == 0
    assert place.stat().st_uid == 1234
    assert dokku("storage:ensure-directory", "node-app", "--chown=false").code == 0
    assert place.stat().st_uid == 1234


def test_a_bad_directory_or_owner_is_refused_and_nothing_made(dokku):
    charset = "Directory can only contain the following set of characters: [A-Za-z0-9_-]"
    assert dokku("storage:ensure-directory", "../x") == refusal(charset)
    assert dokku("storage:ensure-directory", "x", "--chown", "me") == refusal("Unsupported chown permissions")
    assert dokku("storage:ensure-directory") == refusal("Please specify a directory to create")
    assert not (dokku.lib / "data/storage").exists()


def test_a_second_mount_at_one_path_is_refused(dokku):
    dokku.make_app("blog")
    assert dokku("storage:mount", "blog", "/a:/data").code == 0
    said = " !     /data is taken by /a:/data: unmount that first\n"
    assert dokku("storage:mount", "blog", "/b:/data/") == ("", said, 1)
    assert dokku("storage:mount", "blog", "/b:/data/b").code == 0

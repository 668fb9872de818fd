"""When mounts are given to the user of an app's containers, and how."""

import json
import os

import pytest

from lib.app import config, options, storage
from lib.base import log, properties, settings
from lib.runtime import mount_owners

APP = "blog"
SCRIPT = """'find "$@" ! -user "$0" -exec chown -h "$0" {} +'"""
START = "docker container start --attach c1"


@pytest.fixture(autouse=True)
def said(fs, shell):
    """What the code under test writes: pairs of stream and bytes. The app's image is one of herokuish."""
    os.makedirs(settings.app_dir(APP))
    image(shell, ["USER=herokuishuser"])
    shell.answers("docker container create …", out="c1\n")
    with log.collected() as lines:
        yield lines


def image(shell, env, pattern="docker image inspect …"):
    shell.answers(pattern, out=json.dumps({"Id": "sha256:1", "Config": {"Env": env}}))


def created(shell):
    return [line for line in shell.ran if line.startswith("docker container create ")]


def test_mounts_that_can_be_written_to_are_given_to_the_user(shell, said):
    for spec in ("/a b:/c d", "/ro:/ro:ro", "vol:/e:z"):
        storage.mount(APP, spec)
    mount_owners.give(APP, "latest")
    flags = "--user=0 --network=none --entrypoint= '--volume=/a b:/c d' --volume=vol:/e:z"
    command = f"/bin/sh -c {SCRIPT} herokuishuser '/c d' /e"
    assert created(shell)[0].endswith(f" {flags} -- sha256:1 {command}")
    assert shell.ran[-2:] == [START, "docker container rm --force c1"]
    assert b"".join(data for _, data in said) == b""


def test_the_app_may_run_as_somebody_else(shell):
    config.set_values(APP, {"DOKKU_APP_USER": "me"})
    storage.mount(APP, "/a:/b")
    mount_owners.give(APP, "latest")
    assert created(shell)[0].endswith(" me /b")


def test_an_app_without_mounts_costs_nothing(shell):
    options.add(APP, ["run"], "-v /a:/b")
    mount_owners.give(APP, "latest")
    assert shell.ran == []


def test_an_app_from_a_dockerfile_keeps_its_mounts_as_they_are(shell):
    image(shell, [], "docker image inspect … dokku/blog:latest")
    storage.mount(APP, "/a:/b")
    mount_owners.give(APP, "latest")
    assert created(shell) == []


def test_it_can_be_forbidden(shell):
    storage.mount(APP, "/a:/b")
    properties.write("scheduler-docker-local", APP, "disable-chown", "true")
    mount_owners.give(APP, "latest")
    assert shell.ran == []


def test_that_it_fails_is_told_and_no_reason_not_to_deploy(shell, said):
    storage.mount(APP, "/a:/b")
    shell.answers(START, status=1)
    mount_owners.give(APP, "latest")
    assert b"Unable to give the app's mounts to herokuishuser" in said[-1][1]
    assert shell.ran[-1] == "docker container rm --force c1"

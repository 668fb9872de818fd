"""post-delete: nothing is kept for an app that goes, and nothing of another app goes with it."""

import json
import os

import pytest

from lib.app import app_json
from lib.base import files, log, properties, settings
from lib.proxy import acme_orders, acme_renewals
from lib.runtime import containers, cron_table, retirement
from triggers import post_delete

APP = "blog"
A, B = "a" * 64, "b" * 64


@pytest.fixture(autouse=True)
def app(fs):
    os.makedirs(settings.app_dir(APP))


def fire(name):
    post_delete.HANDLERS[name](APP, "latest")


def test_containers_and_all_that_is_known_of_them_go(shell):
    """LEAK-5"""
    containers.adopt(APP, [containers.Container(APP, "web", 1, A)], [])
    retirement.register(APP, [B], 60)
    retirement.register("other", [A], 60)
    shell.answers("docker container ls …", out=f"{A}\n{B}\n")
    fire("apps")
    assert f"docker container rm --force --volumes {A} {B}" in shell.ran
    assert containers.registered(APP) == []
    assert not os.path.exists(settings.data("scheduler-docker-local", APP))
    assert [entry.app for entry in retirement.entries()] == ["other"]


def test_images_go_by_all_their_names(shell):
    shell.answers("docker image ls …", out="sha256:1\nsha256:2\n")
    tagged = json.dumps({"Id": "sha256:1", "RepoTags": ["dokku/blog:latest", "registry.example.com/blog:7"]})
    shell.answers("docker image inspect …sha256:1", out=f"{tagged}\n")
    shell.answers("docker image inspect …sha256:2", out=json.dumps({"Id": "sha256:2", "RepoTags": []}) + "\n")
    fire("builder")
    assert [line for line in shell.ran if " rm " in line] == [
        "docker image rm -- dokku/blog:latest",
        "docker image rm -- registry.example.com/blog:7",
        "docker image rm -- sha256:2",
    ]
    assert shell.ran[0] == f"docker image ls --quiet --no-trunc --filter=label=com.dokku.app-name={APP}"


def test_properties_go_and_those_of_others_stay(shell):
    """LEAK-5"""
    properties.write("git", APP, "deploy-branch", "main")
    properties.write("git", "other", "deploy-branch", "main")
    fire("common")
    assert properties.get_all("git", APP) == {}
    assert properties.get("git", "other", "deploy-branch") == "main"


def test_an_app_that_never_had_anything_goes_as_well(shell):
    files.remove(settings.app_dir(APP))
    shell.answers("docker network inspect …", status=1)
    for name in ("apps", "builder", "common", "ps"):
        fire(name)
    assert [line for line in shell.ran if " rm " in line] == []


def test_nothing_is_renewed_for_it_by_the_time_the_crontab_is_written():
    acme_orders.failed(APP, "s", ["n"], [])
    assert acme_renewals.entry() != ""
    fire("certs")
    assert acme_renewals.entry() == ""
    assert sorted(post_delete.HANDLERS).index("certs") < sorted(post_delete.HANDLERS).index("cron")


def test_its_cron_tasks_go_from_the_crontab_even_if_cron_fails(shell):
    """LEAK-5"""
    properties.write("common", APP, "deployed", "true")
    files.replace(app_json.file_path(APP), '{"cron": [{"schedule": "@daily", "command": "a"}]}')
    shell.answers("crontab -l", "@daily mine\n")
    with log.collected():
        cron_table.write()
    table = shell.calls[-1].stdin
    assert f"cron:run {APP} ".encode() in table
    shell.answers("crontab …", err="no\n", status=1)
    shell.answers("crontab …", table)
    with log.collected() as said:
        fire("cron")
    assert said == [
        (2, b" !     Unable to take the cron tasks of blog out of the crontab: crontab -l failed: no\n")
    ]
    with log.collected():
        fire("cron")
    assert shell.calls[-1].stdin == b"@daily mine\n"

"""apps:rename: visitors notice nothing, and an app that can't be started under its new name keeps the old."""

import shutil

import pytest

from tests.system.conftest import Instance
from tests.system.load import Load


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_a_rename_drops_no_request_and_builds_nothing(instance: Instance) -> None:
    """ZDT-1"""
    old, new, site = (instance.name(name) for name in ("before", "after", "site"))
    assert instance.push(instance.new_repo(instance.sample("the page")), old).code == 0
    assert instance.dokku("domains:add", old, instance.host(site)).code == 0
    assert instance.dokku("config:set", old, "KEY=kept", "DOKKU_WAIT_TO_RETIRE=3").code == 0
    with Load(instance, site, "the page") as load:
        renamed = instance.dokku("apps:rename", old, new)
    assert renamed.code == 0, renamed
    assert "Building" not in renamed.out + renamed.err
    assert load.outcome.requests > 100
    assert (load.outcome.failed, load.outcome.wrong) == (0, 0), load.outcome
    assert instance.dokku("apps:exists", old).code == 20
    assert instance.get(new) == (200, "the page")
    assert instance.get(old).status == 0
    assert instance.dokku("config:get", new, "KEY").out == "kept\n"
    assert (instance.containers(old), instance.images(old)) == ([], [])
    assert instance.docker("network", "ls", "--quiet", f"--filter=name=^dokku.app.{old}$") == ""
    assert instance.dokku("ps:rebuild", new).code == 0
    assert instance.get(site) == (200, "the page")


def test_a_rename_that_fails_leaves_the_app_as_it_was(instance: Instance) -> None:
    old, new = instance.name("kept"), instance.name("never")
    assert instance.push(instance.new_repo(instance.sample("kept page")), old).code == 0
    instance.dokku("domains:add", old, "kept.example.com")
    before, files = instance.containers(old), sorted(path.name for path in (instance.root / old).iterdir())
    instance.dokku("docker-options:add", old, "deploy", "--publish=0.0.0.1:1:1")
    refused = instance.dokku("apps:rename", old, new)
    assert refused.code != 0
    assert instance.dokku("apps:exists", new).code == 20
    assert instance.containers(old) == before
    assert instance.get(old) == (200, "kept page")
    assert instance.get("", host="kept.example.com") == (200, "kept page")
    assert files == sorted(path.name for path in (instance.root / old).iterdir())
    assert (instance.containers(new), instance.images(new)) == ([], [])
    assert instance.docker("network", "ls", "--quiet", f"--filter=name=^dokku.app.{new}$") == ""


def test_an_app_at_a_port_of_its_own_keeps_it(instance: Instance) -> None:
    old, new = instance.name("port-old"), instance.name("port-new")
    assert instance.push(instance.new_repo(instance.sample("by port")), old).code == 0
    instance.dokku("config:set", old, "DOKKU_WAIT_TO_RETIRE=0")
    port = instance.dokku("config:get", old, "DOKKU_PROXY_PORT").out
    renamed = instance.dokku("apps:rename", old, new)
    assert renamed.code == 0, renamed
    assert instance.dokku("config:get", new, "DOKKU_PROXY_PORT").out == port
    assert instance.get(new) == (200, "by port")

"""Images of releases: when their names go, and what of them a new name of the app takes along."""

import json
import os

import pytest

from lib.base import log, properties, settings
from lib.base.errors import DokkuError
from lib.runtime import release_images, release_records
from lib.runtime.release_records import Release

APP = "blog"


@pytest.fixture(autouse=True)
def said(shell):
    """What the code under test writes. On real files, as locks want them."""
    os.makedirs(settings.app_dir(APP))
    for end, id_ in (("latest", "3"), ("new:release-v2", "new2"), ("new:release-v3", "new3")):
        shell.answers(f"docker image inspect …{end}", out=json.dumps({"Id": id_, "Config": {}}) + "\n")
    with log.collected() as lines:
        yield lines


def record(number, **more):
    known = {"outcome": release_records.SUCCEEDED, "image": f"sha256:{number}", "ended": 9, **more}
    release_records.write(APP, Release(number, "alice", 1, "0", 7, config={"KEY": "secret"}, **known))


def test_the_names_of_what_is_no_longer_kept_move_away(shell):
    properties.write("releases", APP, "keep", "1")
    record(1)
    record(2)
    shell.answers("docker image ls …release-v…", out="release-v1\nrelease-v2\nrelease-vx\n")
    release_images.drop_old(APP)
    assert [line for line in shell.ran if line.startswith(("docker image tag", "docker image rm"))] == [
        "docker image tag -- dokku/blog:latest dokku/blog:release-v1",
        "docker image rm -- dokku/blog:release-v1",
    ]
    assert shell.ran[-1].startswith("docker image prune --force --filter=dangling=true")
    assert [release.image for release in release_records.all_(APP)] == ["", "sha256:2"]


def test_a_new_name_takes_along_what_is_kept_with_labels_of_its_own(shell):
    properties.write("releases", APP, "keep", "2")
    for number in (1, 2, 3):
        record(number, containers=["a" * 64])
    release_images.copy(APP, "new")
    found = release_records.all_("new")
    assert [(one.number, one.image, one.containers) for one in found] == [
        (1, "", []),
        (2, "new2", []),
        (3, "new3", []),
    ]
    assert [one.config for one in found] == [{}, {"KEY": "secret"}, {"KEY": "secret"}]
    assert [line for line in shell.ran if "image build" in line] == [
        f"docker image build --force-rm --tag=dokku/new:release-v{number} -" for number in (2, 3)
    ]
    release_records.forget(APP)
    assert release_records.all_(APP) == []


def test_an_image_that_can_not_come_along_stays_behind_without_the_values(shell, said):
    record(1)
    shell.answers("docker image build …", err="no space left on device\n", status=1)
    release_images.copy(APP, "new")
    (copied,) = release_records.all_("new")
    assert (copied.image, copied.config, copied.outcome) == ("", {}, "succeeded")
    assert b"no space left on device" in b"".join(text for _, text in said)


def test_an_image_that_lost_its_name_gets_it_back_from_what_serves(shell, said):
    """`docker image prune -a` leaves the image of a running container, and one name of it."""
    record(1, containers=["a" * 64])
    shell.answers("docker image inspect …", err="Error: No such image: x\n", status=1)
    shell.answers("docker image inspect …sha256:1", out=json.dumps({"Id": "sha256:1", "Config": {}}) + "\n")
    image = release_images.verify(APP)
    assert (image.id, image.name) == ("sha256:1", "dokku/blog:latest")
    assert "docker image tag -- sha256:1 dokku/blog:latest" in shell.ran
    assert b"Somebody has removed the name dokku/blog:latest" in b"".join(text for _, text in said)


def test_what_the_containers_run_counts_more_than_the_record(shell):
    record(1)
    with open(os.path.join(settings.app_dir(APP), "CONTAINER.web.1"), "w") as file:
        file.write("c" * 64)
    known = {
        "Id": "c" * 64,
        "Name": "/blog.web.1",
        "Image": "sha256:7",
        "RestartCount": 0,
        "Config": {"Labels": {"com.dokku.app-name": APP}},
        "State": {"Status": "exited", "Running": False, "StartedAt": ""},
        "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {},
    }
    shell.answers("docker container inspect …", out=json.dumps(known) + "\n")
    shell.answers("docker image inspect …", err="Error: No such image: x\n", status=1)
    for id_ in ("sha256:1", "sha256:7"):
        shell.answers(f"docker image inspect …{id_}", out=json.dumps({"Id": id_, "Config": {}}) + "\n")
    assert release_images.verify(APP).id == "sha256:7"


@pytest.mark.parametrize(("deployed", "hint"), [("true", ", build it with ps:rebuild"), ("false", "")])
def test_an_image_that_is_gone_altogether_is_said_so(shell, deployed, hint):
    record(1)
    properties.write("common", APP, "deployed", deployed)
    shell.answers("docker image inspect …", err="Error: No such image: x\n", status=1)
    with pytest.raises(DokkuError) as refused:
        release_images.verify(APP)
    assert refused.value.text == f"App image (dokku/blog:latest) not found{hint}"
    assert not [line for line in shell.ran if "image tag" in line]


def test_an_image_that_a_plugin_names_is_not_replaced(shell, monkeypatch):
    record(1)
    monkeypatch.setattr("lib.base.triggers.ask", lambda name, *_: "r.test/" if "repository" in name else "")
    shell.answers("docker image inspect …", err="Error: No such image: x\n", status=1)
    shell.answers("docker image inspect …sha256:1", out=json.dumps({"Id": "sha256:1", "Config": {}}) + "\n")
    with pytest.raises(DokkuError, match=r"r\.test/dokku/blog:latest"):
        release_images.verify(APP)

"""Whose image a build takes something from, and what is refused."""

import json
import os

import pytest

from lib.base import log, settings
from lib.base.errors import DokkuError
from lib.build import builder_settings, foreign_images
from lib.build.dockerfile_images import Use

APP, ID = "blog", "sha256:" + "3f" * 32
pytestmark = pytest.mark.usefixtures("fs")


@pytest.fixture(autouse=True)
def quiet(fs):
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


def has(shell, name, tags=(), label="", onbuild=(), digests=()):
    """The host has an image, found by this name."""
    marks = {"com.dokku.app-name": label} if label else None
    known = {"Id": ID, "RepoTags": list(tags), "RepoDigests": list(digests)}
    known["Config"] = {"Labels": marks, "OnBuild": list(onbuild) or None}
    shell.answers(f"docker image inspect … -- {name}", out=json.dumps(known) + "\n")


def lacks(shell, name):
    shell.answers(f"docker image inspect … -- {name}", err=f"Error: No such image: {name}\n", status=1)


def verify(*images, what="FROM", **more):
    foreign_images.verify(APP, [Use(image, 3, what) for image in images], **more)


def refused(image, what="FROM", is_sure=True):
    with pytest.raises(DokkuError) as error:
        foreign_images.verify(APP, [Use(image, 3, what, is_sure)])
    assert f"Dockerfile, line 3: {what} {image} " in error.value.text
    assert error.value.more[0].startswith(f"To allow that: dokku builder:set {APP} allowed-images ")
    return error.value


@pytest.mark.parametrize(
    "name", ["dokku/victim", "docker.io/dokku/victim:v1", "dokku/gone@sha256:" + "0" * 64]
)
def test_a_name_of_another_apps_images_is_refused_without_asking_docker(shell, name):
    for sure in (True, False):
        refused(name, is_sure=sure)
    assert shell.ran == []


def test_an_image_with_another_apps_label_is_refused_under_any_name(shell):
    has(shell, "base:1", ["base:1"], label="victim")
    assert "is an image of the app victim" in refused("base:1").text
    assert "is an image of the app victim" in refused("base:1", "COPY --from").text


def test_an_image_that_another_app_has_under_another_name_is_refused(shell):
    has(shell, "base:1", ["base:1", "dokku/victim:release-v1"])
    refused("base:1")


@pytest.mark.parametrize("name", ["3f3f", "3", ID, "3f" * 32, "sha256"])
def test_an_id_of_an_image_that_is_not_the_apps_own_is_refused(shell, name):
    has(shell, name)
    assert "by its id" in refused(name).text


def test_an_id_of_the_apps_own_image_is_used(shell):
    has(shell, "3f3f", label=APP)
    verify("3f3f")


def test_a_stage_that_is_called_like_an_id_is_a_stage(shell):
    has(shell, "fe", ["dokku/victim:latest"], label="victim")
    foreign_images.verify(APP, [Use("fe", 3, "COPY --from", is_sure=False)])
    has(shell, "base", ["base:latest", "dokku/victim:latest"], label="victim")
    refused("base", is_sure=False)


def test_own_images_and_those_of_nobody_are_used(shell):
    has(shell, "busybox", ["busybox:latest"])
    has(shell, "debian@sha256:" + "0" * 64, [], digests=["debian@sha256:" + "0" * 64])
    has(shell, f"dokku/{APP}:latest", [f"dokku/{APP}:latest"], label=APP)
    verify("busybox", "debian@sha256:" + "0" * 64, f"dokku/{APP}:latest")


def test_instructions_that_a_base_image_brings_along_are_judged(shell):
    has(shell, "base", ["base:latest"], onbuild=["COPY . /app", "COPY --from=dokku/victim / /x"])
    with pytest.raises(DokkuError, match="line 3: COPY --from dokku/victim is an image of the app victim"):
        verify("base")
    verify("base", what="COPY --from")  # they run for FROM alone


def test_an_absent_image_comes_before_the_build_so_that_it_can_be_judged(shell):
    lacks(shell, "base")
    verify("base")
    assert "docker image pull -- base" in shell.ran
    shell.answers("docker image pull …", status=1)
    verify("base")


def test_a_stage_is_not_pulled(shell):
    lacks(shell, "build")
    foreign_images.verify(APP, [Use("build", 3, "COPY --from", is_sure=False)])
    assert not any("pull" in line for line in shell.ran)


def test_a_fresh_build_judges_what_the_registry_has(shell):
    has(shell, "base", ["base:latest"])
    verify("base", is_fresh=True)
    assert shell.ran[1] == "docker image pull -- base"


@pytest.mark.parametrize("name", ["Bad", "a b", "-x", "x/../y"])
def test_what_is_no_name_of_an_image_is_refused(shell, name):
    with pytest.raises(DokkuError, match="is no name of an image"):
        verify(name)
    assert shell.ran == []


@pytest.mark.parametrize(
    "name", ["docker/dockerfile:1", "docker.io/docker/dockerfile", "docker/dockerfile-upstream:m"]
)
def test_dockers_own_frontends_are_used(shell, name):
    verify(name, what="syntax")
    assert shell.ran == []


@pytest.mark.parametrize("name", ["evil/frontend", "docker/dockerfile/x", "evil.com/docker/dockerfile"])
def test_other_frontends_are_refused(shell, name):
    assert "a program that may read every image" in refused(name, "syntax").text


@pytest.mark.parametrize("allowed", ["dokku/victim", "*", "x, dokku/victim:v2", "docker.io/dokku/victim"])
def test_the_operator_may_allow_an_image(shell, allowed):
    has(shell, "dokku/victim", ["dokku/victim:latest"], label="victim")
    has(shell, "base", ["base:latest"], label="victim")
    builder_settings.set_(APP, "allowed-images", allowed)
    verify("dokku/victim", "base")
    with pytest.raises(DokkuError) if allowed != "*" else log.collected():
        verify("dokku/other")


def test_names_that_a_build_option_replaces_are_not_images(shell):
    verify("dokku/victim", replaced=["dokku/victim"])

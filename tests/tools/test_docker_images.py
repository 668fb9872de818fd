"""Images put together from layers that docker has, and containers that run to their end: on real docker."""

import json
import os
import shutil
import subprocess

import pytest

from lib.base.errors import ToolFailed
from lib.tools import docker, docker_images
from tests.system.conftest import BASE_IMAGE, _build_base_image

if (
    not shutil.which("docker")
    or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
):
    pytest.skip("no docker here", allow_module_level=True)

NAME = f"dokku-test/composed:{os.getpid()}"  # tests may run beside each other


@pytest.fixture(scope="module", autouse=True)
def _base():
    _build_base_image()


@pytest.fixture
def container():
    """A container that has a secret variable and says something before it leaves a file."""
    script = "echo one; printf two; echo made >/made"
    id_ = docker.create("", BASE_IMAGE, ["sh", "-c", script], {}, ["--env=SECRET=s3cret"])
    yield id_
    docker.remove(id_)
    docker.remove_image(NAME)


def said_by(name, *words):
    argv = ["docker", "run", "--rm", name, *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_a_container_is_heard_line_by_line(container):
    lines = []
    assert docker_images.attend(container, lines.append) == 0
    assert lines == [b"one\n", b"two"]


def test_its_status_is_told():
    id_ = docker.create("", BASE_IMAGE, ["sh", "-c", "exit 7"], {}, [])
    try:
        assert docker_images.attend(id_, lambda _: None) == 7
    finally:
        docker.remove(id_)


def test_an_image_has_a_containers_files_and_anothers_settings(container):
    docker_images.attend(container, lambda _: None)
    left = docker_images.commit(container, "", [])
    (like,), (known,) = docker.inspect_images(BASE_IMAGE), docker.inspect_images(left)
    try:
        docker_images.compose(like, known["RootFS"]["Layers"], {"mark": "x"}, NAME)
    finally:
        docker.remove_image(left)

    (made,) = docker.inspect_images(NAME)
    assert made["Config"]["Labels"]["mark"] == "x"
    assert made["Config"]["Env"] == like["Config"]["Env"]
    assert "s3cret" not in json.dumps(made)
    assert said_by(NAME, "cat", "/made") == "made\n"
    assert "SECRET" not in said_by(NAME, "env")


def test_fewer_layers_are_an_image_too(container):
    docker_images.attend(container, lambda _: None)
    left = docker_images.commit(container, NAME, [])
    (known,) = docker.inspect_images(left)
    docker_images.compose(known, known["RootFS"]["Layers"][:-1], {}, NAME)
    assert said_by(NAME, "ls", "/").split().count("made") == 0


def test_layers_that_docker_has_not_are_refused():
    (like,) = docker.inspect_images(BASE_IMAGE)
    with pytest.raises(ToolFailed, match="docker load: "):
        docker_images.compose(like, ["sha256:" + "0" * 64], {}, NAME)


def test_a_commit_takes_changes(container):
    docker_images.attend(container, lambda _: None)
    docker_images.commit(container, NAME, ['CMD ["cat", "/made"]'])
    assert said_by(NAME) == "made\n"

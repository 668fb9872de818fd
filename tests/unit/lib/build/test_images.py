"""Images: their names, what is read out of them, and what a failed deploy does to them."""

import io
import json
import os
import tarfile

import pytest

from lib.base import files, log, properties, settings
from lib.base.errors import DokkuError
from lib.build import images

APP = "blog"
CID = "c" * 64


@pytest.fixture(autouse=True)
def said(fs):
    os.makedirs(settings.app_dir(APP))
    images._files.clear()
    with log.collected() as lines:
        yield lines


def archive(*members: tarfile.TarInfo, content: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def known(**config) -> str:
    return json.dumps({"Id": "sha256:1", "Config": config}) + "\n"


def test_an_image_that_is_not_there_is_refused_by_name(shell):
    shell.answers("docker image inspect …", err="Error: No such image: dokku/blog:v2", status=1)

    with pytest.raises(DokkuError, match=r"App image \(dokku/blog:v2\) not found"):
        images.verify(APP, "v2")


def test_a_daemon_that_is_not_there_is_not_a_missing_image(shell):
    shell.answers("docker image inspect …", err="Cannot connect to the Docker daemon at unix:///x.", status=1)

    with pytest.raises(DokkuError, match="Unable to reach the docker daemon"):
        images.verify(APP)


@pytest.mark.parametrize(
    ("config", "kind", "workdir"),
    [
        ({}, "dockerfile", "/"),
        ({"WorkingDir": "/srv"}, "dockerfile", "/srv"),
        ({"Env": ["USER=herokuishuser"]}, "herokuish", "/app"),
        ({"Labels": {"io.buildpacks.stack.id": "x"}}, "pack", "/workspace"),
        (
            {
                "Labels": {"io.buildpacks.stack.id": "x", "com.dokku.builder-type": "dockerfile"},
                "WorkingDir": "/srv",
            },
            "dockerfile",
            "/srv",
        ),
        ({"Labels": {"com.dokku.builder-type": "herokuish"}}, "herokuish", "/app"),
        ({"Labels": {"com.dokku.builder-type": "nix"}, "Env": ["USER=herokuishuser"]}, "herokuish", "/app"),
        ({"Labels": {"com.dokku.builder-type": "nix"}}, "dockerfile", "/"),
    ],
)
def test_an_image_says_how_it_was_built(shell, config, kind, workdir):
    shell.answers("docker image inspect …", out=known(**config))

    image = images.find("dokku/blog:latest")

    assert image is not None
    assert (image.kind, image.workdir) == (kind, workdir)


def test_an_image_names_its_builder_and_its_app(shell):
    shell.answers("docker image inspect …", out=known(Labels=images.labels(APP, "nix")))

    image = images.verify(APP)

    assert images.is_labelled(image, APP, "nix")
    assert not images.is_labelled(image, APP, "pack")
    assert not images.is_labelled(image, "shop", "nix")


def test_files_are_read_from_a_container_that_never_runs_and_is_removed(shell):
    """DKR-4"""
    shell.answers("docker image inspect …", out=known(WorkingDir="/srv"))
    shell.answers("docker container create …", out=f"{CID}\n")
    shell.answers("docker container cp …", err="Could not find the file", status=1)
    member = tarfile.TarInfo("CHECKS")
    shell.answers(f"docker container cp {CID}:/srv/CHECKS -", out=archive(member, content=b"/ ok\r\n"))

    assert images.read_files(APP, images.verify(APP)) == {"CHECKS": "/ ok\n"}
    assert not any("start" in line.split()[:3] for line in shell.ran)
    assert shell.ran[-1] == f"docker container rm --force --volumes {CID}"


def test_a_file_that_the_app_keeps_elsewhere_counts_where_it_is(shell):
    properties.write("ps", APP, "procfile-path", "ops/Procfile")
    shell.answers("docker image inspect …", out=known(WorkingDir="/srv"))
    shell.answers("docker container create …", out=f"{CID}\n")
    shell.answers("docker container cp …", err="Could not find the file", status=1)
    usual = archive(tarfile.TarInfo("Procfile"), content=b"web: usual\n")
    shell.answers(f"docker container cp {CID}:/srv/Procfile -", out=usual)
    image = images.verify(APP)
    assert images.read_files(APP, image) == {"Procfile": "web: usual\n"}

    images._files.clear()
    properties.write("ps", APP, "procfile-path", "own/Procfile")
    chosen = archive(tarfile.TarInfo("Procfile"), content=b"web: chosen\n")
    shell.answers(f"docker container cp {CID}:/srv/own/Procfile -", out=chosen)
    assert images.read_files(APP, image) == {"Procfile": "web: chosen\n"}


def test_an_image_that_was_read_before_is_not_read_again(shell):
    shell.answers("docker image inspect …", out=known(WorkingDir="/srv"))
    shell.answers("docker container create …", out=f"{CID}\n")
    shell.answers("docker container cp …", out=archive(tarfile.TarInfo("CHECKS"), content=b"/ ok\xff\n"))
    image = images.verify(APP)
    found = images.read_files(APP, image)

    images._files.clear()
    shell.ran.clear()
    assert images.read_files(APP, image) == found
    assert shell.ran == []

    for other in (image._replace(id="sha256:2"), image._replace(workdir="/app")):
        images._files.clear()
        shell.ran.clear()
        images.read_files(APP, other)
        assert shell.ran


@pytest.mark.parametrize("torn", ["", "{", "[]", "{}", '{"id": 1}', "null"])
def test_a_torn_record_of_what_was_read_is_none(shell, torn):
    shell.answers("docker image inspect …", out=known(WorkingDir="/srv"))
    shell.answers("docker container create …", out=f"{CID}\n")
    files.replace(os.path.join(settings.data("builder", APP), "image-files.json"), torn)

    assert images.read_files(APP, images.verify(APP)) == {}
    assert any("create" in line for line in shell.ran)


def _linked(target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo("CHECKS")
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


@pytest.mark.parametrize(
    "data",
    [
        archive(_linked("/etc/passwd")),
        archive(tarfile.TarInfo("CHECKS"), tarfile.TarInfo("more")),
        archive(tarfile.TarInfo("CHECKS"), content=b"x" * (images.FILE_LIMIT + 1)),
    ],
    ids=["link", "several", "large"],
)
def test_what_is_no_small_plain_file_counts_as_absent(shell, data):
    """DKR-4"""
    shell.answers("docker image inspect …", out=known())
    shell.answers("docker container create …", out=f"{CID}\n")
    shell.answers("docker container cp …", out=data)

    assert images.read_files(APP, images.verify(APP)) == {}


def test_a_failed_deploy_gives_the_name_back_to_the_image_before(shell):
    shell.answers("docker image inspect …", out=known())

    with pytest.raises(DokkuError), images.restored_on_failure(APP, unless=lambda: False):
        raise DokkuError("no")

    assert "docker image tag -- sha256:1 dokku/blog:latest" in shell.ran


def test_a_failed_first_deploy_leaves_no_image(shell):
    shell.answers("docker image inspect …", err="No such image", status=1)

    with pytest.raises(DokkuError), images.restored_on_failure(APP, unless=lambda: False):
        raise DokkuError("no")

    assert "docker image rm -- dokku/blog:latest" in shell.ran


def test_an_image_that_serves_keeps_its_name_whatever_failed_later(shell):
    shell.answers("docker image inspect …", out=known())

    with pytest.raises(DokkuError), images.restored_on_failure(APP, unless=lambda: True):
        raise DokkuError("no")

    assert not any(line.startswith("docker image tag") for line in shell.ran)

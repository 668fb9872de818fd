"""What an image of a builder that is a program becomes, with a real docker."""

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator

import pytest

from lib.base import log
from lib.build import images, programs
from lib.tools import docker

APP = f"t{os.getpid()}-programs"
BUILT = f"dokku/{APP}:building"
# In place of bash: the same two ways to be called.
_BASH = b'#!/bin/sh\nexec /bin/busybox sh "$@"\n'

pytestmark = pytest.mark.skipif(
    shutil.which("busybox") is None
    or shutil.which("docker") is None
    or subprocess.run(["docker", "info"], capture_output=True).returncode != 0,
    reason="there is no docker, or no busybox to run in it",
)


@pytest.fixture(autouse=True)
def image() -> Iterator[str]:
    """What such a program leaves: bash that takes one word, and a command that is one."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        archive.add(os.path.realpath(shutil.which("busybox") or ""), "bin/busybox")
        for name in ("sh", "printf", "cat"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        bash = tarfile.TarInfo("bin/bash")
        bash.size, bash.mode = len(_BASH), 0o755
        archive.addfile(bash, io.BytesIO(_BASH))
    changes = ["ENV PATH=/bin", "WORKDIR /app", 'ENTRYPOINT ["/bin/bash", "-l", "-c"]']
    changes += ['CMD ["printf \\"%s\\" \\"$GREETING\\""]']
    flags = [word for change in changes for word in ("--change", change)]
    subprocess.run(
        ["docker", "import", *flags, "-", BUILT], input=layer.getvalue(), check=True, capture_output=True
    )
    with log.collected():
        yield docker.inspect_images(BUILT)[0]["Id"]
    for name in (BUILT, images.name(APP)):
        subprocess.run(["docker", "image", "rm", "--force", name], capture_output=True, check=False)


def said(*words: str) -> str:
    argv = ["docker", "run", "--rm", "--env=GREETING=a  b", images.name(APP), *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def test_words_and_the_images_own_command_both_run(image):
    programs.finish(APP, "nixpacks", BUILT, {})
    assert said() == "a  b"
    assert said("printf", "%s.", "two words") == "two.words."  # as a shell reads them, once put together
    assert said("printf %s 'two words'") == "two words"
    assert said("printf", "%s", '"$GREETING"') == "a  b"


def test_the_image_gets_the_apps_labels_and_name(image):
    programs.finish(APP, "railpack", BUILT, {})
    (known,) = docker.inspect_images(images.name(APP))
    assert known["Config"]["Labels"].items() >= images.labels(APP, "railpack").items()
    assert known["Config"]["WorkingDir"] == "/app"


def test_the_name_to_build_under_starts_where_it_should_and_goes(image):
    docker.tag(image, images.name(APP))
    with programs.name_beside(APP) as name:
        assert name == BUILT
        assert docker.inspect_images(BUILT) == []
    with programs.name_beside(APP, image):
        assert docker.inspect_images(BUILT)[0]["Id"] == image
    with pytest.raises(ZeroDivisionError), programs.name_beside(APP, image):
        raise ZeroDivisionError
    assert docker.inspect_images(BUILT) == []
    assert docker.inspect_images(images.name(APP))[0]["Id"] == image


def test_a_file_beside_it_lands_in_the_working_directory(image):
    programs.finish(APP, "railpack", BUILT, {"Procfile": "release: x\n"})
    assert said("cat Procfile") == "release: x\n"


def test_an_image_without_a_command_still_has_none(image):
    subprocess.run(
        ["docker", "build", "--quiet", "--force-rm", f"--tag={BUILT}", "-"],
        input=f'FROM {BUILT}\nENTRYPOINT ["/bin/bash", "-c"]\n'.encode(),
        check=True,
        capture_output=True,
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
    )
    programs.finish(APP, "railpack", BUILT, {})
    assert not docker.inspect_images(images.name(APP))[0]["Config"].get("Cmd")
    assert said("printf", "ok") == "ok"

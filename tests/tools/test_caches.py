"""A build cache whose files only root may touch, handled by a real container of the stack's image."""

import io
import os
import shutil
import subprocess
import tarfile

import pytest

from lib.base import files, properties, settings
from lib.build import caches

OLD, NEW = f"t{os.getpid()}.old", f"t{os.getpid()}.new"
ODD = ("gems/rack.rb", ".hidden/file", "..twice", "with blank/ünï")

pytestmark = pytest.mark.skipif(
    shutil.which("busybox") is None
    or shutil.which("docker") is None
    or subprocess.run(["docker", "info"], capture_output=True).returncode != 0,
    reason="there is no docker, or no busybox to run in it",
)


@pytest.fixture(scope="module")
def image():
    """An image with sh, rm and cp in it."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        archive.add(os.path.realpath(shutil.which("busybox")), "bin/busybox")
        for name in ("sh", "rm", "cp"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    words = ["docker", "import", "--change", "ENV PATH=/bin", "-"]
    made = subprocess.run(words, input=layer.getvalue(), capture_output=True, check=True).stdout.decode()
    yield made.strip()
    subprocess.run(["docker", "image", "rm", "--force", made.strip()], capture_output=True, check=False)


@pytest.fixture(autouse=True)
def cache(image):
    for app in (OLD, NEW):
        os.makedirs(settings.app_dir(app))
        properties.write("buildpacks", app, "stack", image.removeprefix("sha256:"))
    for name in ODD:
        files.replace(os.path.join(settings.app_dir(OLD), "cache", name), name)
    os.chmod(os.path.join(settings.app_dir(OLD), "cache/gems/rack.rb"), 0o751)
    yield
    left = ["docker", "container", "ls", "--all", "--quiet", f"--filter=label=com.dokku.app-name={OLD}"]
    assert subprocess.run(left, capture_output=True, check=True).stdout == b""


def refused_at_first(monkeypatch, module, name):
    real, left = getattr(module, name), [PermissionError()]

    def refuse(*words):
        if left:
            raise left.pop()
        return real(*words)

    monkeypatch.setattr(module, name, refuse)


def test_everything_in_it_goes(monkeypatch):
    refused_at_first(monkeypatch, files, "remove")
    monkeypatch.setattr(shutil, "rmtree", lambda path, **_: os.rmdir(path))  # what dokku may do by itself
    caches.purge(OLD)
    assert os.listdir(settings.app_dir(OLD)) == []


def test_everything_in_it_moves_as_it_is(monkeypatch):
    refused_at_first(monkeypatch, os, "rename")
    caches.move(OLD, NEW)
    moved = os.path.join(settings.app_dir(NEW), "cache")
    assert [files.read(os.path.join(moved, name)) for name in ODD] == list(ODD)
    assert os.stat(os.path.join(moved, "gems/rack.rb")).st_mode & 0o777 == 0o751
    assert os.listdir(settings.app_dir(OLD)) == []

"""A build cache whose files only root may touch, handled by a real container of no image from elsewhere."""

import os
import shutil
import subprocess

import pytest

from lib.base import files, properties, settings
from lib.build import caches

OLD, NEW = f"t{os.getpid()}.old", f"t{os.getpid()}.new"
ODD = ("gems/rack.rb", ".hidden/file", "..twice", "with blank/ünï")

pytestmark = pytest.mark.skipif(
    shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode != 0,
    reason="there is no docker",
)


@pytest.fixture(autouse=True)
def cache():
    for app in (OLD, NEW):
        os.makedirs(settings.app_dir(app))
        properties.write("buildpacks", app, "stack", "nowhere.invalid/none")
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

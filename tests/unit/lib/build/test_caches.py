"""The build cache: where it is, and who removes what only a container may."""

import os

import pytest

from lib.base import files, properties, settings
from lib.base.errors import DokkuError
from lib.build import caches

OLD, NEW = "blog", "shop"
ID = "c" * 64


@pytest.fixture(autouse=True)
def apps(fs):
    for app in (OLD, NEW):
        os.makedirs(settings.app_dir(app))
    properties.write("buildpacks", OLD, "stack", "stack:1")
    files.replace(f"{settings.app_dir(OLD)}/cache/gems/rack", "x")


def deny(monkeypatch, name, times=1):
    """Make an operation fail at first as it does on files of others."""
    left, real = [PermissionError] * times, getattr(files, name) if hasattr(files, name) else os.rename

    def refuse(*words):
        if left:
            raise left.pop()
        return real(*words)

    monkeypatch.setattr(f"lib.base.files.{name}" if hasattr(files, name) else f"os.{name}", refuse)


def test_containers_get_it_as_docker_sees_the_host(monkeypatch):
    monkeypatch.setenv("DOKKU_HOST_ROOT", "/outside")
    assert caches.option(NEW) == "--volume=/outside/shop/cache:/cache"
    assert os.path.isdir(f"{settings.app_dir(NEW)}/cache")


def test_it_goes_whole_and_none_is_no_failure():
    caches.purge(OLD)
    caches.purge(OLD)
    assert not os.path.exists(f"{settings.app_dir(OLD)}/cache")


def test_it_moves_to_the_new_name():
    caches.move(OLD, NEW)
    assert files.read(f"{settings.app_dir(NEW)}/cache/gems/rack") == "x"
    assert not os.path.exists(f"{settings.app_dir(OLD)}/cache")
    caches.move(OLD, NEW)
    assert files.read(f"{settings.app_dir(NEW)}/cache/gems/rack") == "x"


def test_what_its_containers_own_a_container_of_the_stack_removes(shell, monkeypatch):
    deny(monkeypatch, "remove")
    shell.answers("docker container create …", out=f"{ID}\n")
    caches.purge(OLD)
    create, start, remove = shell.ran
    volume = f"--volume={settings.app_dir(OLD)}/cache:/cache"
    assert create.endswith(
        f"--user=0 --network=none --entrypoint= {volume} -- stack:1"
        " sh -c 'rm -rf /cache/* /cache/.[!.]* /cache/..?*'"
    )
    assert start == f"docker container start --attach {ID}"
    assert remove == f"docker container rm --force {ID}"
    assert not os.path.exists(f"{settings.app_dir(OLD)}/cache")


def test_and_copies_when_it_moves(shell, monkeypatch):
    deny(monkeypatch, "rename")
    shell.answers("docker container create …", out=f"{ID}\n")
    caches.move(OLD, NEW)
    assert shell.ran[0].endswith(
        f"--volume={settings.app_dir(OLD)}/cache:/cache --volume={settings.app_dir(NEW)}/cache:/moved"
        " -- stack:1 cp -a /cache/. /moved"
    )


def test_a_container_that_fails_is_told_and_removed(shell, monkeypatch):
    deny(monkeypatch, "remove")
    shell.answers("docker container create …", out=f"{ID}\n")
    shell.answers("docker container start …", status=1)
    with pytest.raises(DokkuError, match="Unable to handle the build cache of blog"):
        caches.purge(OLD)
    assert shell.ran[-1] == f"docker container rm --force {ID}"

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


def test_what_its_containers_own_a_container_with_the_hosts_programs_removes(shell, monkeypatch):
    """No image is pulled, which there may be no network for."""
    deny(monkeypatch, "remove")
    shell.answers("docker image import -", out="sha256:1\n")
    shell.answers("docker container create …", out=f"{ID}\n")
    caches.purge(OLD)
    make, create, start, remove, drop = shell.ran
    volume = f"--volume={settings.app_dir(OLD)}/cache:/cache"
    assert make == "docker image import -"
    assert "--user=0 --network=none" in create
    assert create.endswith(f"{volume} -- sha256:1 /usr/bin/find /cache -mindepth 1 -delete")
    assert start == f"docker container start --attach {ID}"
    assert remove == f"docker container rm --force {ID}"
    assert drop == "docker image rm -- sha256:1"
    assert not os.path.exists(f"{settings.app_dir(OLD)}/cache")


def test_where_dokku_is_in_a_container_the_stacks_programs_do_it(shell, monkeypatch):
    monkeypatch.setenv("DOKKU_HOST_ROOT", "/outside")
    deny(monkeypatch, "remove")
    shell.answers("docker container create …", out=f"{ID}\n")
    caches.purge(OLD)
    assert shell.ran[0].endswith(
        "--volume=/outside/blog/cache:/cache -- stack:1 /usr/bin/find /cache -mindepth 1 -delete"
    )


def test_and_copies_when_it_moves(shell, monkeypatch):
    deny(monkeypatch, "rename")
    shell.answers("docker image import -", out="sha256:1\n")
    shell.answers("docker container create …", out=f"{ID}\n")
    caches.move(OLD, NEW)
    assert shell.ran[1].endswith(
        f"--volume={settings.app_dir(OLD)}/cache:/cache --volume={settings.app_dir(NEW)}/cache:/moved"
        " -- sha256:1 /usr/bin/cp -a /cache/. /moved"
    )


def test_directories_of_others_in_the_apps_own_are_emptied_before_it_goes(shell, monkeypatch):
    files.replace(f"{settings.app_dir(OLD)}/made-by-root/inside/x", "x")
    real = os.access
    monkeypatch.setattr("os.access", lambda path, mode: "made-by-root" not in path and real(path, mode))
    shell.answers("docker image import -", out="sha256:1\n")
    shell.answers("docker container create …", out=f"{ID}\n")
    caches.give_up(OLD)
    (create,) = [line for line in shell.ran if " create " in line]
    assert f"--volume={settings.app_dir(OLD)}/made-by-root:/cache " in create


def test_a_container_that_fails_is_told_and_removed(shell, monkeypatch):
    deny(monkeypatch, "remove")
    shell.answers("docker container create …", out=f"{ID}\n")
    shell.answers("docker container start …", status=1)
    with pytest.raises(DokkuError, match="Unable to handle files of blog"):
        caches.purge(OLD)
    assert f"docker container rm --force {ID}" in shell.ran

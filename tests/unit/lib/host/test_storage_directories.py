"""Directories to mount: their names and owners, and how the system user gives them away."""

import os

import pytest

from lib.base import log, settings
from lib.base.errors import DokkuError
from lib.host import storage_directories


@pytest.fixture
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    with log.collected() as lines:
        yield lines


def text_of(said):
    return b"".join(data for _, data in said).decode()


@pytest.fixture
def nobody(monkeypatch):
    """We are not root."""
    monkeypatch.setattr(os, "geteuid", lambda: 65534)


def test_a_directory_is_made_and_given_away_by_sudo(said, shell, nobody):
    storage_directories.ensure("node-app", "heroku")
    assert os.path.isdir(f"{settings.lib()}/data/storage/node-app")
    assert shell.ran == ["sudo -n /opt/dokku/current/bin/own-storage node-app 1000"]
    assert text_of(said) == (
        f"-----> Ensuring {settings.lib()}/data/storage/node-app exists\n"
        "       Setting directory ownership to 1000:1000\n"
        "       Directory ready for mounting\n"
    )


def test_without_sudo_somebody_is_told_to_be_root(said, shell, nobody):
    shell.answers("sudo …", status=1)
    with pytest.raises(DokkuError) as refusal:
        storage_directories.ensure("a", "herokuish")
    place = f"{settings.lib()}/data/storage/a"
    assert refusal.value.text == f"Unable to give {place} to 32767: run this command as root"


def test_an_owner_is_kept_if_asked(said, shell, nobody):
    storage_directories.ensure("a", "false")
    assert shell.ran == []
    assert "ownership" not in text_of(said)


def test_ids_are_those_of_the_host_when_docker_maps_them(fs, said, shell, nobody):
    fs.create_file("/etc/docker/daemon.json", contents='{"userns-remap": "default"}')
    storage_directories.ensure("a", "paketo")
    assert shell.ran[0].endswith(" a 167536")


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "a\n", "é", "a.b", "$(id)"])
def test_a_name_that_would_lead_elsewhere_is_refused(said, shell, nobody, name):
    with pytest.raises(DokkuError):
        storage_directories.ensure(name, "root")
    assert shell.ran == []
    assert not os.path.exists(f"{settings.lib()}/data")


@pytest.mark.parametrize("owner", ["", "somebody", "-1", "65536", "99999", "999999", "1:1", "0x1"])
def test_an_owner_that_is_none_is_refused_before_anything_is_made(said, shell, nobody, owner):
    with pytest.raises(DokkuError) as refusal:
        storage_directories.ensure("a", owner)
    assert refusal.value.text == "Unsupported chown permissions"
    assert not os.path.exists(f"{settings.lib()}/data")


def test_a_top_that_root_or_docker_made_is_taken_back_by_sudo(said, shell, nobody, monkeypatch):
    os.makedirs(settings.data("storage"))
    real = os.access
    monkeypatch.setattr("os.access", lambda path, mode: path != settings.data("storage") and real(path, mode))
    storage_directories.ensure("node-app", "false")
    assert shell.ran == [f"sudo -n /opt/dokku/current/bin/own-storage . {settings.user()}"]


def test_without_sudo_the_chown_that_mends_it_is_told(said, shell, nobody, monkeypatch):
    os.makedirs(settings.data("storage"))
    monkeypatch.setattr("os.access", lambda path, mode: False)
    shell.answers("sudo …", status=1)
    with pytest.raises(DokkuError, match=f"storage belongs to others: chown {settings.user()} "):
        storage_directories.ensure("node-app", "false")

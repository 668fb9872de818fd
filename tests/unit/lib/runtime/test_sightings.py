"""Where the scheduler of a plugin says that containers are."""

import os

import pytest

from lib.app import config
from lib.base import files, log, settings
from lib.base.errors import DokkuError
from lib.runtime import listeners, sightings

APP = "blog"


def test_what_a_plugins_scheduler_says_is_written_down(fs):
    os.makedirs(settings.app_dir(APP))
    sightings.note(APP, "web", "1", "IP", "10.0.0.2")
    sightings.note(APP, "web", "1", "PORT", "5000")
    assert files.read(f"{settings.app_dir(APP)}/IP.web.1") == "10.0.0.2"
    assert files.read(f"{settings.app_dir(APP)}/PORT.web.1") == "5000"


@pytest.mark.parametrize(
    ("process", "index", "kind", "text"),
    [
        ("../x", "1", "IP", "10.0.0.2"),
        ("web", "x", "IP", "10.0.0.2"),
        ("web", "0", "IP", "10.0.0.2"),
        ("web", "1/2", "IP", "10.0.0.2"),
        ("web", "1", "IP", "10.0.0.2; } server {"),
        ("web", "1", "IP", ""),
        ("web", "1", "IP", "host.example"),
        ("web", "1", "PORT", "0"),
        ("web", "1", "PORT", "5000/tcp"),
    ],
)
def test_what_is_no_address_is_refused_and_nothing_written(fs, process, index, kind, text):
    os.makedirs(settings.app_dir(APP))
    with pytest.raises(DokkuError, match="Invalid address of a container"):
        sightings.note(APP, process, index, kind, text)
    assert os.listdir(settings.app_dir(APP)) == []


def test_they_are_read_by_number_and_what_is_none_is_left_out(fs):
    os.makedirs(settings.app_dir(APP))
    for index, ip, port in (("10", "10.0.0.10", "80"), ("2", "10.0.0.2", "x"), ("3", "nonsense", "80")):
        for kind, text in (("IP", ip), ("PORT", port)):
            files.replace(f"{settings.app_dir(APP)}/{kind}.web.{index}", f"{text}\n")
    files.replace(f"{settings.app_dir(APP)}/IP.worker.1", "10.0.0.9")
    files.replace(f"{settings.app_dir(APP)}/IP.web.x", "10.0.0.9")
    assert sightings.of(APP, "web") == [("10.0.0.2", ""), ("10.0.0.10", "80")]
    assert sightings.of("gone", "web") == []


def test_they_count_for_an_app_of_another_scheduler_only(fs, shell):
    os.makedirs(settings.app_dir(APP))
    for kind, text in (("IP", "10.0.0.2"), ("PORT", "80")):
        sightings.note(APP, "web", "1", kind, text)
    assert listeners.of(APP) == []
    with log.collected():
        config.set_values(APP, {"DOKKU_SCHEDULER": "nomad"})
    assert listeners.of(APP) == ["10.0.0.2:80"]
    assert listeners.addresses([APP]) == {APP: ["10.0.0.2"]}
    assert shell.ran == []

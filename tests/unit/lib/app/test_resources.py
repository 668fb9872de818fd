"""resource:*: values of process types, and what docker gets of them."""

import os

import pytest

from lib.app import resources
from lib.app.resources import LIMIT, RESERVE
from lib.base import log, properties, report, settings
from lib.base.errors import DokkuError

APP = "blog"


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


def text_of(said):
    return b"".join(data for _, data in said).decode()


def stored():
    return properties.get_all("resource", APP)


def test_values_are_kept_and_told_by_type_kind_and_key(said):
    resources.change(APP, LIMIT, "", {"memory": "512MB", "cpu": "2", "network": ""})
    resources.change(APP, RESERVE, "web", {"memory": "1g"})
    assert stored() == {
        "_default_.limit.cpu": "2",
        "_default_.limit.memory": "512MB",
        "web.reserve.memory": "1g",
    }
    assert text_of(said) == (
        "=====> Setting resource limits for blog\n       cpu: 2\n       memory: 512MB\n"
        "=====> Setting resource reservation for blog (web)\n       memory: 1g\n"
    )


def test_no_value_shows_every_key(said):
    resources.change(APP, LIMIT, "", {"cpu": "2"})
    said.clear()
    resources.change(APP, LIMIT, "", {})
    resources.change(APP, RESERVE, "web", {"cpu": ""})
    lines = text_of(said).splitlines()
    assert lines[0] == "=====> resource limits blog information [defaults]"
    assert lines[1:8] == [f"       {key}: {'2' if key == 'cpu' else ''}" for key in resources.KEYS]
    assert lines[8] == "=====> resource reservation blog information (web)"


def test_the_value_clear_unsets(said):
    resources.change(APP, LIMIT, "", {"cpu": "2", "memory": "1g"})
    resources.change(APP, LIMIT, "", {"cpu": "clear"})
    assert stored() == {"_default_.limit.memory": "1g"}
    assert text_of(said).endswith("       cpu: cleared\n")


@pytest.mark.parametrize("text", ["1 --privileged", "a\nb", "é", "1\0", "x" * 200])
def test_a_value_of_more_than_a_word_is_refused_and_nothing_changes(text):
    with pytest.raises(DokkuError) as refusal:
        resources.change(APP, LIMIT, "", {"cpu": "2", "memory": text})
    assert refusal.value.text == "Invalid value for memory, it must be one word"
    assert stored() == {}


@pytest.mark.parametrize("process", ["a.b", "../x", "-w", "a b", "a\n"])
def test_what_can_be_no_type_is_refused(process):
    for work in (
        lambda: resources.change(APP, LIMIT, process, {"cpu": "1"}),
        lambda: resources.clear(APP, LIMIT, process),
    ):
        with pytest.raises(DokkuError):
            work()
    assert stored() == {}


def test_clearing_takes_one_kind_and_of_one_type_if_named(said):
    for kind in (LIMIT, RESERVE):
        for process in ("", "web", "worker"):
            resources.change(APP, kind, process, {"memory": "1g"})
    said.clear()
    resources.clear(APP, LIMIT, "web")
    assert "web.limit.memory" not in stored()
    assert len(stored()) == 5
    resources.clear(APP, LIMIT, "")
    assert set(stored()) == {f"{name}.reserve.memory" for name in ("_default_", "web", "worker")}
    resources.clear(APP, RESERVE, "_default_")
    assert "_default_.reserve.memory" not in stored()
    assert text_of(said) == (
        "=====> clearing blog limits (web)\n=====> clearing blog limits\n=====> clearing blog reservation\n"
    )


def test_a_type_has_its_own_value_before_the_default_one():
    resources.change(APP, LIMIT, "", {"cpu": "2", "memory": "1g"})
    resources.change(APP, LIMIT, "web", {"cpu": "4"})
    assert resources.flags(APP, "web") == ["--cpus=4", "--memory=1g"]
    assert resources.flags(APP, "worker") == ["--cpus=2", "--memory=1g"]
    assert resources.flags(APP, "web", with_defaults=False) == ["--cpus=4"]
    assert resources.value(APP, "web", "limit", "cpu") == "4"
    assert resources.value(APP, "web", "limit", "memory") == "1g"
    assert resources.value(APP, "web", "reserve", "memory") == ""
    assert resources.value(APP, "../x", "limit", "memory") == ""


def test_docker_gets_what_it_has_an_option_for():
    everything = dict.fromkeys(resources.KEYS, "7g")
    resources.change(APP, LIMIT, "", everything)
    resources.change(APP, RESERVE, "", everything)
    assert resources.flags(APP, "web") == [
        "--cpus=7g",
        "--memory=7g",
        "--memory-swap=7g",
        "--gpus=7g",
        "--memory-reservation=7g",
    ]


@pytest.mark.parametrize(
    ("given", "flag"),
    [("512", "512m"), ("512MB", "512MB"), ("67108864", "67108864"), ("1.5g", "1.5g"), ("0", "0")],
)
def test_memory_without_a_unit_is_megabytes_unless_it_must_be_bytes(given, flag):
    resources.change(APP, LIMIT, "", {"memory": given})
    assert resources.flags(APP, "web") == [f"--memory={flag}"]


def test_a_value_that_somebody_wrote_into_the_file_stays_one_word():
    properties.write("resource", APP, "web.limit.cpu", "1 --privileged $(id)\n")
    assert resources.flags(APP, "web") == ["--cpus='1 --privileged $(id)'"]


def test_the_report_names_keys_as_dokku_does():
    resources.change(APP, LIMIT, "", {"memory-swap": "1g"})
    assert report.as_text(resources.rows(APP), report.GO) == ["       _default_ limit memory swap:   1g"]
    assert '"_default_.limit.memory-swap":"1g"' in report.as_json(resources.rows(APP), "resource-")

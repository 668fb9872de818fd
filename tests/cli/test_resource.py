"""resource:* as a user calls it. What containers get of it is in tests/system."""

import json

import pytest

KEYS = ("cpu", "memory", "memory-swap", "network", "network-ingress", "network-egress", "nvidia-gpu")


@pytest.fixture
def blog(dokku):
    """An app that was never deployed."""
    return dokku.make_app("blog")


def refusal(text, code=1):
    return ("", f" !     {text}\n", code)


@pytest.mark.parametrize("name", ["limit", "limit-clear", "reserve", "reserve-clear"])
def test_an_app_has_to_be_named_and_to_exist(dokku, name):
    assert dokku(f"resource:{name}") == refusal("Please specify an app to run the command on")
    assert dokku(f"resource:{name}", "nope") == refusal("App nope does not exist", 20)


def test_limits_are_set_shown_and_cleared(dokku, blog):
    done = dokku("resource:limit", "--memory", "512MB", "--cpu=2", "blog")
    said = "=====> Setting resource limits for blog\n       cpu: 2\n       memory: 512MB\n"
    assert done == (said, "", 0)
    place = dokku.lib / "config/resource/blog/_default_.limit.memory"
    assert place.read_text() == "512MB"
    shown = dokku("--quiet", "resource:limit", "blog").out.splitlines()
    assert [line.split(":")[0].strip() for line in shown] == list(KEYS)
    assert shown[:2] == ["       cpu: 2", "       memory: 512MB"]
    assert dokku("resource:limit", "--cpu", "clear", "blog").out.endswith("       cpu: cleared\n")
    assert dokku("resource:limit-clear", "blog") == ("=====> clearing blog limits\n", "", 0)
    assert not place.exists()


def test_reservations_are_for_a_process_type_if_one_is_named(dokku, blog):
    done = dokku("resource:reserve", "--process-type", "web", "--memory", "1g", "blog")
    assert done.out == "=====> Setting resource reservation for blog (web)\n       memory: 1g\n"
    shown = dokku("resource:reserve", "blog", "--process-type", "web").out.splitlines()
    assert shown[0] == "=====> resource reservation blog information (web)"
    assert dokku("resource:limit", "blog").out.splitlines()[0] == (
        "=====> resource limits blog information [defaults]"
    )
    cleared = dokku("resource:reserve-clear", "--process-type", "web", "blog")
    assert cleared.out == "=====> clearing blog reservation (web)\n"
    assert dokku("--quiet", "resource:report", "blog").out == ""


def test_every_resource_has_a_flag(dokku, blog):
    words = [word for key in KEYS for word in (f"--{key}", "7")]
    assert dokku("resource:reserve", *words, "blog").code == 0
    found = json.loads(dokku("resource:report", "blog", "--format", "json").out)
    assert {key: found[f"_default_.reserve.{key}"] for key in KEYS} == dict.fromkeys(KEYS, "7")
    assert found["resource-_default_.reserve.cpu"] == "7"


def test_the_report_names_what_is_set_and_nothing_else(dokku, blog):
    assert dokku("resource:report", "blog") == ("=====> blog resource information\n", "", 0)
    dokku("resource:limit", "--memory-swap", "-1", "blog")
    assert dokku("resource:report", "blog").out.splitlines()[1] == (
        "       _default_ limit memory swap:   -1"
    )
    assert dokku("resource:report", "blog", "--resource-_default_.limit.memory-swap").out == "-1\n"
    assert dokku("resource:report", "blog", "--resource-web.limit.memory").code == 1


def test_bad_values_are_refused_and_nothing_is_set(dokku, blog):
    bad = refusal("Invalid value for memory, it must be one word")
    assert dokku("resource:limit", "--cpu", "1", "--memory", "1g --privileged", "blog") == bad
    bad = refusal("Invalid process type specified (a/b)")
    assert dokku("resource:limit", "--process-type", "a/b", "--cpu", "1", "blog") == bad
    assert dokku("resource:limit", "--disk", "1", "blog").code == 2
    assert dokku("--quiet", "resource:report", "blog").out == ""

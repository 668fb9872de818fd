"""checks:* as a user calls it. Whether a container passes is in tests/system."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest


@pytest.fixture
def blog(dokku):
    """An app that was never deployed."""
    return dokku.make_app("blog")


def refusal(text, code=1):
    return ("", f" !     {text}\n", code)


def lists(dokku):
    return [
        dokku("checks:report", "blog", f"--checks-{name}-list").out.strip()
        for name in ("disabled", "skipped")
    ]


@pytest.mark.parametrize("name", ["disable", "enable", "run", "set", "skip"])
def test_an_app_has_to_be_named_and_to_exist(dokku, name):
    assert dokku(f"checks:{name}") == refusal("Please specify an app to run the command on")
    assert dokku(f"checks:{name}", "nope") == refusal("App nope does not exist", 20)


def test_the_report_on_an_unknown_app_is_refused(dokku):
    assert dokku("checks:report", "nope") == refusal("App nope does not exist", 20)


@pytest.mark.parametrize(
    ("words", "said", "disabled", "skipped"),
    [
        (["checks:disable", "blog"], "Disabling zero downtime for app (blog)", "_all_", "none"),
        (
            ["checks:disable", "blog", "web,worker"],
            "Disabling zero downtime for app's (blog) proctypes (web,worker)",
            "web,worker",
            "none",
        ),
        (["checks:skip", "blog"], "Skipping zero downtime for app (blog)", "none", "_all_"),
        (
            ["checks:skip", "blog", "worker"],
            "Skipping zero downtime for app's (blog) proctypes (worker)",
            "none",
            "worker",
        ),
        (["checks:enable", "blog"], "Enabling zero downtime for app's (blog)", "none", "none"),
        (
            ["checks:enable", "blog", "web"],
            "Enabling zero downtime for app's (blog) proctypes (web)",
            "none",
            "none",
        ),
    ],
)
def test_the_lists_change_with_dokkus_words(dokku, blog, words, said, disabled, skipped):
    assert dokku(*words) == (f"-----> {said}\n", "", 0)
    assert lists(dokku) == [disabled, skipped]


def test_a_type_is_in_one_list_at_a_time(dokku, blog):
    dokku("checks:disable", "blog", "web,worker,urgentworker,notifications")
    dokku("checks:skip", "blog", "urgentworker,worker")
    assert lists(dokku) == ["web,notifications", "urgentworker,worker"]
    dokku("checks:enable", "blog", "web,worker")
    assert lists(dokku) == ["notifications", "urgentworker"]


def test_the_report_has_the_disabled_list_in_its_first_row(dokku, blog):
    assert dokku("--quiet", "checks:report", "blog") == (
        "       Checks disabled list:          none                     \n"
        "       Checks skipped list:           none                     \n",
        "",
        0,
    )
    assert dokku("checks:report", "blog").out.startswith("=====> blog checks information\n")


def test_the_report_is_json_with_both_kinds_of_keys(dokku, blog):
    dokku("checks:set", "blog", "wait-to-retire", "30")
    shown = json.loads(dokku("checks:report", "blog", "--format", "json").out)
    assert shown["checks-wait-to-retire"] == shown["wait-to-retire"] == "30"
    assert shown["checks-global-wait-to-retire"] == "60"
    assert shown["disabled-list"] == "none"


def test_the_report_refuses_an_unknown_flag(dokku, blog):
    done = dokku("checks:report", "blog", "--colour")
    assert done.code == 1
    assert done.err.startswith(
        " !     Invalid flag passed, valid flags: --checks-disabled-list --checks-skipped-list"
    )


def test_a_property_may_be_set_for_an_app_and_for_all(dokku, blog):
    assert dokku("checks:set", "--global", "wait-to-retire", "20").code == 0
    assert dokku("checks:report", "blog", "--checks-computed-wait-to-retire").out == "20\n"
    assert dokku("checks:set", "blog", "wait-to-retire", "5") == (
        "=====> Setting wait-to-retire to 5\n",
        "",
        0,
    )
    assert dokku("checks:report", "blog", "--checks-computed-wait-to-retire").out == "5\n"
    assert dokku("checks:set", "blog", "wait-to-retire").out == "=====> Unsetting wait-to-retire\n"
    assert dokku("checks:report", "blog", "--checks-computed-wait-to-retire").out == "20\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "No key specified"),
        (
            ("colour", "1"),
            "Invalid key specified, valid keys include: "
            "attempts, default-wait, timeout, wait, wait-to-retire, url-networks",
        ),
        (("timeout", "soon"), "Invalid value for timeout, it must be a number from 0 to 86400"),
    ],
)
def test_a_bad_property_is_refused(dokku, blog, words, text):
    assert dokku("checks:set", "blog", *words) == refusal(text)


def test_checks_of_an_app_that_was_never_deployed_can_not_run(dokku, blog):
    assert dokku("checks:run", "blog") == refusal("App blog has not been deployed")


def test_twenty_changes_at_once_lose_no_type(dokku, blog):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: dokku("checks:disable", "blog", f"p{n}"), range(20)))
    assert sorted(lists(dokku)[0].split(",")) == sorted(f"p{n}" for n in range(20))


def test_what_can_be_no_process_type_is_refused(dokku, blog):
    """NAME-4"""
    assert dokku("checks:disable", "blog", "web;id") == refusal(
        "Invalid process type specified (blog.web;id)"
    )

"""app-json:* and the path of the Procfile as a user calls them. What they lead to: tests/system."""

import json

import pytest


def refusal(text, code=1):
    return ("", f" !     {text}\n", code)


@pytest.fixture(autouse=True)
def blog(dokku):
    return dokku.make_app("blog")


def test_a_path_is_set_reported_and_unset(dokku):
    assert dokku("app-json:set", "blog", "appjson-path", "ops/app.json") == (
        "=====> Setting appjson-path to ops/app.json\n",
        "",
        0,
    )
    assert dokku("app-json:report", "blog", "--app-json-computed-appjson-path").out == "ops/app.json\n"
    assert dokku("app-json:set", "blog", "appjson-path") == ("=====> Unsetting appjson-path\n", "", 0)
    assert dokku("app-json:report", "blog", "--app-json-computed-appjson-path").out == "app.json\n"


def test_a_global_path_counts_for_apps_without_one(dokku):
    assert dokku("app-json:set", "--global", "appjson-path", "all.json").code == 0
    found = json.loads(dokku("app-json:report", "blog", "--format", "json").out)
    keys = ("computed-appjson-path", "global-appjson-path", "appjson-path")
    assert [found[key] for key in keys] == ["all.json", "all.json", ""]
    assert [found[f"app-json-{key}"] for key in keys] == ["all.json", "all.json", ""]
    assert dokku("app-json:report", "--global").out.startswith("=====> --global app-json information\n")


def test_the_report_is_a_table(dokku):
    assert dokku("app-json:report", "blog").out.splitlines() == [
        "=====> blog app-json information",
        "       App json appjson path:          ",
        "       App json computed appjson path: app.json",
        "       App json global appjson path:   ",
    ]


@pytest.mark.parametrize(
    ("words", "text", "code"),
    [
        ([], "Please specify an app to run the command on", 1),
        (["nope", "appjson-path", "x"], "App nope does not exist", 20),
        (["blog"], "No key specified", 1),
        (["blog", "path", "x"], "Invalid key specified, valid keys include: appjson-path", 1),
        (["blog", "appjson-path", "../x"], "Invalid appjson-path specified: ../x", 1),
        (["--global", "appjson-path", "/etc/x"], "Invalid appjson-path specified: /etc/x", 1),
    ],
)
def test_a_bad_call_is_refused_in_one_line(dokku, words, text, code):
    assert dokku("app-json:set", *words) == refusal(text, code)


def test_help_names_both_commands(dokku):
    told = dokku("app-json:help").out
    assert "app-json:report" in told
    assert "app-json:set" in told


def test_the_path_of_the_procfile_is_set_for_one_app_or_for_all(dokku):
    assert dokku("ps:set", "--global", "procfile-path", "all/Procfile").code == 0
    assert dokku("ps:report", "blog", "--ps-computed-procfile-path").out == "all/Procfile\n"
    assert dokku("ps:set", "blog", "procfile-path", "ops/Procfile").code == 0
    assert dokku("ps:report", "blog", "--ps-computed-procfile-path").out == "ops/Procfile\n"
    assert "rocfile" not in dokku("ps:report", "blog").out
    assert dokku("ps:set", "blog", "procfile-path", "/x") == refusal("Invalid procfile-path specified: /x")

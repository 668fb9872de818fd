"""builder-pack, builder-nixpacks and builder-railpack as a user calls them. What they build: tests/system."""

import json

import pytest

PROPERTIES = [
    ("pack", "projecttoml-path", "project.toml"),
    ("nixpacks", "nixpackstoml-path", "nixpacks.toml"),
    ("railpack", "railpackjson-path", "railpack.json"),
]
each_builder = pytest.mark.parametrize(("builder", "key", "name"), PROPERTIES)


def refusal(text, code=1):
    return ("", f" !     {text}\n", code)


@pytest.fixture(autouse=True)
def blog(dokku):
    dokku.make_app("blog")


@each_builder
def test_a_path_is_set_reported_and_unset(dokku, builder, key, name):
    assert dokku(f"builder-{builder}:set", "blog", key, "ops/plan") == (
        f"=====> Setting {key} to ops/plan\n",
        "",
        0,
    )
    assert (
        dokku(f"builder-{builder}:report", "blog", f"--builder-{builder}-computed-{key}").out == "ops/plan\n"
    )
    assert dokku(f"builder-{builder}:set", "blog", key) == (f"=====> Unsetting {key}\n", "", 0)
    assert (
        dokku(f"builder-{builder}:report", "blog", f"--builder-{builder}-computed-{key}").out == f"{name}\n"
    )


@each_builder
def test_a_global_path_counts_for_apps_without_one(dokku, builder, key, name):
    assert dokku(f"builder-{builder}:set", "--global", key, "all").code == 0
    found = json.loads(dokku(f"builder-{builder}:report", "blog", "--format", "json").out)
    assert (found[f"computed-{key}"], found[f"global-{key}"], found[key]) == ("all", "all", "")
    assert dokku(f"builder-{builder}:report", "--global").out.startswith("=====> --global builder-")


@each_builder
def test_the_report_is_a_table(dokku, builder, key, name):
    lines = dokku(f"builder-{builder}:report", "blog").out.splitlines()
    assert lines[0] == f"=====> blog builder-{builder} information"
    assert [line.split(":")[1].strip() for line in lines[1:]] == [name, "", ""]


@each_builder
@pytest.mark.parametrize(
    ("words", "text", "code"),
    [
        ([], "Please specify an app to run the command on", 1),
        (["nope", "KEY", "x"], "App nope does not exist", 20),
        (["blog"], "No key specified", 1),
        (["blog", "other", "x"], "Invalid key specified, valid keys include: KEY", 1),
        (["blog", "KEY", "../x"], "Invalid KEY specified: ../x", 1),
        (["--global", "KEY", "/etc/x"], "Invalid KEY specified: /etc/x", 1),
    ],
)
def test_a_bad_call_is_refused_in_one_line(dokku, builder, key, name, words, text, code):
    given = [word.replace("KEY", key) for word in words]
    assert dokku(f"builder-{builder}:set", *given) == refusal(text.replace("KEY", key), code)
    assert (
        dokku(f"builder-{builder}:report", "blog", f"--builder-{builder}-computed-{key}").out == f"{name}\n"
    )


def test_help_names_both_commands(dokku):
    told = dokku("builder-pack:help").out
    assert "builder-pack:report" in told
    assert "builder-pack:set" in told

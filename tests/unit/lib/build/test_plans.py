"""The file that steers a builder: where an app says it is, and that it ends up where the builder looks."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.base import files, log, properties
from lib.base.errors import DokkuError
from lib.build import plans

APP, TREE = "blog", "/source"
BUILDERS = [("pack", "project.toml"), ("nixpacks", "nixpacks.toml"), ("railpack", "railpack.json")]
each_builder = pytest.mark.parametrize(("builder", "name"), BUILDERS)


@pytest.fixture(autouse=True)
def said(fs):
    os.makedirs(TREE)
    with log.collected() as lines:
        yield lines


def source(**contents: str) -> None:
    for name, content in contents.items():
        files.replace(os.path.join(TREE, name.replace("__", "/").replace("_", ".")), content)


def choose(builder: str, path: str, app: str = APP) -> None:
    plans.set_path(builder, app, plans.PLANS[builder].key, path)


@each_builder
def test_the_builders_own_name_counts_unless_another_is_chosen(builder, name):
    assert plans.path(builder, APP) == name
    choose(builder, "all.toml", app=properties.GLOBAL)
    assert plans.path(builder, APP) == "all.toml"
    choose(builder, "own.toml")
    assert plans.path(builder, APP) == "own.toml"
    choose(builder, "")
    assert plans.path(builder, APP) == "all.toml"


@each_builder
def test_a_file_kept_elsewhere_replaces_the_usual_one(builder, name):
    source(ops__plan_toml="chosen\n")
    files.replace(f"{TREE}/{name}", "usual\n")
    choose(builder, "ops/plan.toml")

    plans.place(builder, APP, TREE)

    assert files.read(f"{TREE}/{name}") == "chosen\n"


@each_builder
def test_a_chosen_file_that_is_missing_means_none(builder, name):
    files.replace(f"{TREE}/{name}", "usual\n")
    choose(builder, "ops/plan.toml")

    plans.place(builder, APP, TREE)

    assert not os.path.lexists(f"{TREE}/{name}")
    assert not plans.is_there(builder, TREE)


@pytest.mark.parametrize("chosen", ["project.toml", "./project.toml"])
def test_the_usual_file_stays_as_it_is(chosen):
    source(project_toml="usual\n")
    choose("pack", chosen)

    plans.place("pack", APP, TREE)

    assert files.read(f"{TREE}/project.toml") == "usual\n"


def test_a_link_out_of_the_source_brings_nothing_in():
    """GIT-9"""
    files.replace("/etc/secret", "token\n")
    os.symlink("/etc", f"{TREE}/ops")
    choose("pack", "ops/secret")

    plans.place("pack", APP, TREE)

    assert not os.path.lexists(f"{TREE}/project.toml")
    assert files.read("/etc/secret") == "token\n"


def test_a_plan_that_is_a_link_out_of_the_source_is_refused():
    """GIT-9"""
    files.replace("/etc/secret", "token\n")
    os.symlink("/etc/secret", f"{TREE}/project.toml")

    with pytest.raises(DokkuError, match=r"project\.toml is no file of the source"):
        plans.verify("pack", TREE)


def test_a_source_without_a_plan_is_fine():
    plans.verify("pack", TREE)


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a\nb", "a\x1b[0m"])
def test_a_path_out_of_the_source_is_refused_and_nothing_is_kept(path):
    with pytest.raises(DokkuError, match="Invalid projecttoml-path specified"):
        choose("pack", path)
    assert plans.path("pack", APP) == "project.toml"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("", "No key specified"),
        ("nixpackstoml-path", "Invalid key specified, valid keys include: projecttoml-path"),
    ],
)
def test_another_key_is_refused(key, text):
    with pytest.raises(DokkuError) as refused:
        plans.set_path("pack", APP, key, "x")
    assert refused.value.text == text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.sampled_from(["..", ".", "a", "", "etc", "-x"]), min_size=1, max_size=5).map("/".join))
def test_whatever_path_is_taken_stays_in_the_source(path):
    try:
        choose("pack", path)
    except DokkuError:
        return
    stored = os.path.normpath(os.path.join(TREE, plans.path("pack", APP)))
    assert os.path.commonpath([TREE, stored]) == TREE


def test_the_report_tells_what_is_own_global_and_counts():
    choose("railpack", "all.json", app=properties.GLOBAL)
    choose("railpack", "own.json")

    assert {row.flag: row.value for row in plans.rows("railpack", APP)} == {
        "--builder-railpack-computed-railpackjson-path": "own.json",
        "--builder-railpack-global-railpackjson-path": "all.json",
        "--builder-railpack-railpackjson-path": "own.json",
    }

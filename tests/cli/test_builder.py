"""builder:* and builder-dockerfile:* as a user calls them, and who is chosen. Builds are in tests/system."""

import json
import os
import subprocess

import pytest

FILES = {
    "Dockerfile": "FROM scratch\n",
    ".buildpacks": "https://example.com/buildpack.git\n",
    ".env": "export BUILDPACK_URL=https://example.com/buildpack.git\n",
    "project.toml": "",
    "nixpacks.toml": "",
    "railpack.json": "{}",
}


@pytest.fixture
def blog(dokku):
    """An app that was never deployed."""
    return dokku.make_app("blog")


def refusal(text, code=1):
    return ("", f" !     {text}\n", code)


def put(directory, *names):
    directory.mkdir(exist_ok=True)
    for name in names:
        (directory / name).write_text(FILES.get(name, ""))
    return directory


def commit(dokku, blog, directory):
    """Make a directory the tip of the app's master branch."""
    git = ["git", f"--git-dir={blog}", f"--work-tree={directory}", "-c", "core.bare=false"]
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    for words in (["add", "--all"], [*identity, "commit", "--quiet", "--allow-empty", "--message=x"]):
        subprocess.run([*git, *words], check=True, env={**os.environ, "HOME": str(dokku.root)})


@pytest.mark.parametrize(
    ("present", "config", "app", "host", "chosen"),
    [
        ([], {}, "", "", ""),
        (["Dockerfile"], {}, "", "", "dockerfile"),
        ([".buildpacks"], {}, "", "", "herokuish"),
        ([".env"], {}, "", "", "herokuish"),
        ([], {"BUILDPACK_URL": "x"}, "", "", "herokuish"),
        (["project.toml"], {}, "", "", "pack"),
        ([], {"DOKKU_CNB_EXPERIMENTAL": "1"}, "", "", "pack"),
        (["nixpacks.toml"], {}, "", "", "nixpacks"),
        (["railpack.json"], {}, "", "", "railpack"),
        (["Dockerfile", ".buildpacks"], {}, "", "", "herokuish"),
        (["Dockerfile", ".env"], {}, "", "", "herokuish"),
        (["Dockerfile"], {"BUILDPACK_URL": "x"}, "", "", "herokuish"),
        (["Dockerfile", "project.toml"], {}, "", "", "pack"),
        (["Dockerfile"], {"DOKKU_CNB_EXPERIMENTAL": "1"}, "", "", "pack"),
        ([".buildpacks", "project.toml"], {}, "", "", "herokuish"),
        (["Dockerfile", "nixpacks.toml"], {}, "", "", "dockerfile"),
        (["nixpacks.toml", "project.toml"], {}, "", "", "nixpacks"),
        (["project.toml", "railpack.json"], {}, "", "", "pack"),
        (["project.toml"], {}, "dockerfile", "", "dockerfile"),
        (["project.toml"], {}, "", "dockerfile", "dockerfile"),
        (["project.toml"], {}, "herokuish", "dockerfile", "herokuish"),
        (["Dockerfile"], {}, "null", "", "null"),
        (["Dockerfile"], {"BUILDPACK_URL": "x"}, "", "mine", "mine"),
    ],
)
def test_the_builder_by_source_config_and_choice(dokku, blog, tmp_path, present, config, app, host, chosen):
    tree = put(tmp_path / "tree", *present)
    for key, value in config.items():
        assert dokku("config:set", "--no-restart", "blog", f"{key}={value}").code == 0
    for owner, choice in (("blog", app), ("--global", host)):
        if choice:
            assert dokku("builder:set", owner, "selected", choice).code == 0

    said = dokku("plugin:trigger", "builder-detect", "blog", str(tree))

    assert (said.out.partition("\n")[0], said.err, said.code) == (chosen, "", 0)


@pytest.mark.parametrize(
    ("plugin", "selected", "chosen"),
    [
        ("a-builder", "", "mine"),
        ("a-builder", "pack", "mine"),
        ("builder-aaa", "", "mine"),
        ("builder-aaa", "pack", "pack"),
        ("builder-nix", "", "dockerfile"),
        ("builder-nix", "mine", "mine"),
        ("zzz", "", "dockerfile"),
    ],
)
def test_a_plugins_answer_counts_by_the_plugins_name(dokku, blog, tmp_path, plugin, selected, chosen):
    tree = put(tmp_path / "tree", "Dockerfile")
    dokku.plugin(plugin, builder_detect='#!/bin/sh\n[ "$1" = blog ] && [ -f "$2/Dockerfile" ] && echo mine\n')
    if selected:
        dokku("builder:set", "blog", "selected", selected)

    said = dokku("plugin:trigger", "builder-detect", "blog", str(tree)).out.splitlines()

    assert said[0] == chosen
    assert set(said) == {"mine", "dockerfile", *([selected] if selected else [])}


def test_a_plugin_before_pack_only_wins_over_pack(dokku, blog, tmp_path):
    tree = put(tmp_path / "tree", "project.toml")
    dokku.plugin("builder-nix", builder_detect="#!/bin/sh\necho nix\n")

    assert dokku("plugin:trigger", "builder-detect", "blog", str(tree)).out == "nix\npack\n"


def test_a_trigger_has_to_be_named_and_its_words_are_passed_on(dokku):
    dokku.plugin("acl", my_event='#!/bin/sh\nprintf "[%s]" "$@"\nexit 4\n')

    assert dokku("plugin:trigger") == refusal("Please specify a trigger to run")
    words = ["--force", "a b", "--", "-x"]
    assert dokku("plugin:trigger", "my-event", *words) == ("[--force][a b][--][-x]", "", 4)


@pytest.mark.parametrize("name", ["explain", "set"])
def test_an_app_has_to_be_named_and_to_exist(dokku, name):
    assert dokku(f"builder:{name}") == refusal("Please specify an app to run the command on")
    assert dokku(f"builder:{name}", "nope") == refusal("App nope does not exist", 20)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["blog"], "No property specified"),
        (["blog", "x", "y"], "Invalid property specified, valid properties include: "),
        (["--global", "x", "y"], "Property cannot be specified globally"),
        (["blog", "detected", "pack"], "detected is a read-only property"),
        (["blog", "selected", "a b"], "Invalid builder name: a b"),
        (["blog", "selected", "../x"], "Invalid builder name: ../x"),
        (["blog", "build-dir", "a/../../b"], "Invalid value for build-dir"),
        (["blog", "build-dir", "/"], "Invalid value for build-dir"),
        (["--global", "skip-cleanup", "yes"], "Invalid value for skip-cleanup, must be true or false"),
    ],
)
def test_a_bad_property_is_refused_and_nothing_changes(dokku, blog, words, text):
    before = dokku("builder:report", "blog", "--format", "json").out

    refused = dokku("builder:set", *words)

    assert (refused.out, refused.code) == ("", 1)
    assert refused.err.startswith(f" !     {text}")
    assert refused.err.count("\n") == 1
    assert dokku("builder:report", "blog", "--format", "json").out == before


def test_properties_are_set_and_unset_with_dokkus_words(dokku, blog):
    assert dokku("builder:set", "blog", "selected", "pack") == ("=====> Setting selected to pack\n", "", 0)
    assert dokku("builder:set", "blog", "selected") == ("=====> Unsetting selected\n", "", 0)
    assert (
        dokku("builder:set", "blog", "build-dir", "/web/app/").out == "=====> Setting build-dir to web/app\n"
    )
    assert dokku("builder:set", "--global", "skip-cleanup", "true").code == 0
    assert dokku("builder:set", "selected", "pack", "--global").code == 0

    found = json.loads(dokku("builder:report", "blog", "--format", "json").out)

    assert (found["build-dir"], found["builder-computed-build-dir"]) == ("web/app", "web/app")
    assert (found["skip-cleanup"], found["computed-skip-cleanup"]) == ("", "true")
    assert (found["selected"], found["computed-selected"], found["detected"]) == ("", "pack", "")


def test_the_report_has_the_rows_of_0_24(dokku, blog):
    dokku("builder:set", "blog", "selected", "pack")

    assert dokku("builder:report", "blog").out == (
        "=====> blog builder information\n"
        "       Builder build dir:             \n"
        "       Builder computed build dir:    \n"
        "       Builder computed selected:     pack\n"
        "       Builder global build dir:      \n"
        "       Builder global selected:       \n"
        "       Builder selected:              pack\n"
    )
    assert dokku("builder:report", "blog", "--builder-selected").out == "pack\n"
    assert dokku("builder:report", "nope") == refusal("App nope does not exist", 20)


def test_the_path_of_the_dockerfile_is_a_property(dokku, blog):
    assert dokku("builder-dockerfile:set", "blog") == refusal("No key specified")
    assert dokku("builder-dockerfile:set", "blog", "x") == refusal(
        "Invalid key specified, valid keys include: dockerfile-path"
    )
    assert dokku("builder-dockerfile:set", "blog", "dockerfile-path", "../x").code == 1
    assert dokku("builder-dockerfile:set", "--global", "dockerfile-path", "Other").code == 0
    dokku("builder-dockerfile:set", "blog", "dockerfile-path", "deploy/Dockerfile")

    found = json.loads(dokku("builder-dockerfile:report", "blog", "--format", "json").out)

    assert found["builder-dockerfile-dockerfile-path"] == "deploy/Dockerfile"
    assert found["global-dockerfile-path"] == "Other"
    assert found["computed-dockerfile-path"] == "deploy/Dockerfile"
    assert dokku("builder-dockerfile:set", "blog", "dockerfile-path").out == (
        "=====> Unsetting dockerfile-path\n"
    )


def explained(dokku):
    said = dokku("builder:explain", "blog", "--format", "json")
    assert said.code == 0, said
    return json.loads(said.out)


def test_an_app_without_code_is_explained_as_far_as_it_goes(dokku, blog):
    said = dokku("builder:explain", "blog")
    assert said.code == 0
    assert "blog has no code yet: there is no commit on its deploy branch, master" in said.out
    assert "Nobody has chosen a builder" in said.out
    assert explained(dokku)["builder"] == ""

    dokku("builder:set", "blog", "selected", "pack")
    assert (
        "blog will be built with pack, because `builder:set blog selected pack`"
        in dokku("builder:explain", "blog").out
    )
    assert (explained(dokku)["builder"], explained(dokku)["reason"]) == ("pack", "app")


def test_an_explanation_names_all_who_answered_in_their_order(dokku, blog, tmp_path):
    commit(dokku, blog, put(tmp_path / "tree", "Dockerfile", "nixpacks.toml"))
    dokku.plugin("builder-mine", builder_detect="#!/bin/sh\necho mine\n", builder_build="#!/bin/sh\n")

    found = explained(dokku)
    assert [answer["builder"] for answer in found["answers"]] == ["dockerfile", "mine", "nixpacks"]
    assert (found["builder"], found["reason"], found["obstacle"]) == ("dockerfile", "source", "")

    dokku("builder:set", "--global", "selected", "mine")
    said = dokku("builder:explain", "blog")
    assert "blog will be built with mine, because `builder:set --global selected mine`" in said.out
    assert [line.split() for line in said.out.splitlines()[-4:]] == [
        ["builder:", "mine"],
        ["builder-dockerfile:", "dockerfile"],
        ["builder-mine:", "mine"],
        ["builder-nixpacks:", "nixpacks"],
    ]


def test_an_explanation_says_what_would_be_in_the_way(dokku, blog, tmp_path):
    commit(dokku, blog, put(tmp_path / "tree", "Dockerfile"))
    dokku("builder:set", "blog", "selected", "mine")
    assert explained(dokku)["obstacle"] == "Nobody here builds with mine"

    plugin = dokku.plugin("builder-mine", builder_build="#!/bin/sh\n")
    assert explained(dokku)["obstacle"] == ""

    (plugin / "builder-build").chmod(0o644)
    assert "builder-build of the plugin builder-mine is not executable" in explained(dokku)["obstacle"]

    dokku("builder:set", "blog", "selected", "null")
    assert "null builds nothing" in dokku("builder:explain", "blog").err


def test_an_explanation_judges_the_source_as_a_deploy_does_and_changes_nothing(dokku, blog, tmp_path):
    tree = put(tmp_path / "tree", "project.toml")
    put(tree / "web")
    put(tree / "web/infra", "Dockerfile")
    commit(dokku, blog, tree)
    assert explained(dokku)["builder"] == "pack"

    dokku("builder:set", "blog", "build-dir", "web")
    dokku("builder-dockerfile:set", "blog", "dockerfile-path", "infra/Dockerfile")
    before = sorted(path for path in dokku.lib.rglob("*") if "locks" not in path.parts)
    assert explained(dokku)["builder"] == "dockerfile"
    assert sorted(path for path in dokku.lib.rglob("*") if "locks" not in path.parts) == before

    dokku.plugin("mono", post_extract='#!/bin/sh\necho moved >&2; echo x; rm "$2/Dockerfile"\n')
    found = explained(dokku)
    assert (found["builder"], found["reason"]) == ("herokuish", "default")

    dokku("builder:set", "blog", "build-dir", "none")
    assert dokku("builder:explain", "blog") == refusal(
        "Specified build-dir not found in sourcecode working directory: none"
    )

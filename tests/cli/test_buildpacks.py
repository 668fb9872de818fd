"""buildpacks:* and builder-herokuish:* as a user calls them. What builds do with them is in tests/system."""

import json

import pytest

RUBY = "https://github.com/heroku/heroku-buildpack-ruby.git"
GO = "https://github.com/heroku/heroku-buildpack-go.git"


@pytest.fixture
def blog(dokku):
    """An app that was never deployed."""
    return dokku.make_app("blog")


def refusal(text, code=1):
    return ("", f" !     {text}\n", code)


def listed(dokku):
    return dokku("--quiet", "buildpacks:list", "blog").out.split()


@pytest.mark.parametrize("name", ["add", "clear", "list", "remove", "set", "set-property"])
def test_an_app_has_to_be_named_and_to_exist(dokku, name):
    assert dokku(f"buildpacks:{name}") == refusal("Please specify an app to run the command on")
    assert dokku(f"buildpacks:{name}", "nope") == refusal("App nope does not exist", 20)


@pytest.mark.parametrize("name", ["add", "set"])
def test_a_buildpack_has_to_be_named_and_to_be_one(dokku, blog, name):
    assert dokku(f"buildpacks:{name}", "blog") == refusal("Must specify a buildpack to add")
    for bad in ("nodejs", "/nodejs", "http://nodejs"):
        assert dokku(f"buildpacks:{name}", "blog", bad) == refusal(f"Invalid buildpack specified: {bad}")
    assert listed(dokku) == []


def test_a_list_is_made_changed_and_cleared(dokku, blog):
    assert dokku("buildpacks:add", "blog", "heroku/ruby") == ("", "", 0)
    assert dokku("buildpacks:add", "--index", "1", "blog", "heroku/go") == ("", "", 0)
    assert dokku("buildpacks:list", "blog").out == f"-----> blog buildpack urls\n       {GO}\n       {RUBY}\n"
    assert dokku("buildpacks:set", "blog", "heroku/php", "--index", "2") == ("", "", 0)
    assert listed(dokku) == [GO, "https://github.com/heroku/heroku-buildpack-php.git"]
    assert dokku("buildpacks:remove", "blog", "--index", "2").code == 0
    assert dokku("buildpacks:remove", "blog", "heroku/go") == (f"-----> Removing {GO}\n", "", 0)
    refused = "No buildpacks were found, next release on blog will detect buildpack normally"
    assert dokku("buildpacks:remove", "blog", GO) == refusal(refused)
    for _ in range(2):
        assert dokku("buildpacks:clear", "blog") == ("", "", 0)
    assert listed(dokku) == []


def test_the_list_is_a_property_one_url_a_line(dokku, blog):
    dokku("buildpacks:add", "blog", "heroku/ruby")
    dokku("buildpacks:add", "blog", "heroku/go")
    assert (dokku.lib / "config/buildpacks/blog/buildpacks").read_text() == f"{RUBY}\n{GO}\n"


def test_the_stack_is_set_reported_and_unset(dokku, blog):
    said = dokku("buildpacks:set-property", "blog", "stack", "own/stack:1")
    assert said == ("=====> Setting stack to own/stack:1\n", "", 0)
    said = dokku("buildpacks:set-property", "--global", "stack", "host/stack:1")
    assert said == ("=====> Setting stack to host/stack:1\n", "", 0)
    assert dokku("buildpacks:report", "blog").out == (
        "=====> blog buildpacks information\n"
        "       Buildpacks computed stack:     own/stack:1\n"
        "       Buildpacks global stack:       host/stack:1\n"
        "       Buildpacks list:               \n"
        "       Buildpacks stack:              own/stack:1\n"
    )
    assert dokku("buildpacks:report", "--global", "--buildpacks-computed-stack").out == "host/stack:1\n"
    assert dokku("buildpacks:set-property", "blog", "stack") == ("=====> Unsetting stack\n", "", 0)
    found = json.loads(dokku("buildpacks:report", "blog", "--format", "json").out)
    assert found["stack"] == found["buildpacks-stack"] == ""
    assert found["computed-stack"] == "host/stack:1"
    assert dokku("buildpacks:set-property", "--global", "stack").code == 0
    report = dokku("buildpacks:report", "blog", "--buildpacks-computed-stack")
    assert report.out == "gliderlabs/herokuish:latest\n"


def test_the_trigger_names_the_chosen_stack_only(dokku, blog):
    assert dokku("plugin:trigger", "buildpack-stack-name", "blog").out == ""
    dokku("buildpacks:set-property", "blog", "stack", "own/stack:1")
    assert dokku("plugin:trigger", "buildpack-stack-name", "blog").out == "own/stack:1\n"


def test_both_helps_are_the_same(dokku):
    assert dokku("buildpacks") == dokku("buildpacks:help")
    said = dokku("buildpacks:help").out
    assert said.count("Manage buildpacks settings for an app") == 1
    assert "buildpacks:set-property" in said


def test_a_clone_has_the_list_and_the_stack_and_a_destroyed_app_leaves_none(dokku, blog):
    dokku("buildpacks:add", "blog", "heroku/ruby")
    assert dokku("apps:clone", "--skip-deploy", "blog", "copy").code == 0
    assert dokku("--quiet", "buildpacks:list", "copy").out.split() == [RUBY]
    assert dokku("--force", "apps:destroy", "blog").code == 0
    dokku.make_app("blog")
    assert listed(dokku) == []


def test_herokuish_is_allowed_or_not(dokku, blog):
    assert dokku("builder-herokuish:set", "blog", "allowed", "false") == (
        "=====> Setting allowed to false\n",
        "",
        0,
    )
    assert dokku("builder-herokuish:report", "blog", "--builder-herokuish-computed-allowed").out == "false\n"
    assert dokku("builder-herokuish:set", "--global", "allowed", "true").code == 0
    assert dokku("builder-herokuish:set", "blog", "allowed").out == "=====> Unsetting allowed\n"
    assert dokku("builder-herokuish:report", "blog", "--builder-herokuish-computed-allowed").out == "true\n"
    assert dokku("builder-herokuish:set", "blog") == refusal("No key specified")
    assert dokku("builder-herokuish:set", "blog", "x", "y") == refusal(
        "Invalid key specified, valid keys include: allowed"
    )
    assert dokku("builder-herokuish:set", "nope", "allowed") == refusal("App nope does not exist", 20)


def test_the_report_of_an_app_has_its_buildpacks(dokku, blog):
    dokku("buildpacks:add", "blog", "heroku/ruby")
    assert f"Buildpacks list:               {RUBY}" in dokku("report", "blog").out

"""The list of an app's buildpacks, its stack, and `.buildpacks` in its source."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.app import config
from lib.base import files, log, properties, settings, triggers
from lib.base.errors import AppNotFound, DokkuError
from lib.build import buildpacks

APP, TREE = "blog", "/source"
RUBY = "https://github.com/heroku/heroku-buildpack-ruby.git"
GO = "https://github.com/heroku/heroku-buildpack-go.git"
PHP = "https://example.com/packs/php.git#v2"


@pytest.fixture(autouse=True)
def said(request):
    if "fs" not in request.fixturenames:
        yield []
        return
    request.getfixturevalue("fs")
    os.makedirs(settings.app_dir(APP))
    os.makedirs(TREE)
    with log.collected() as lines:
        yield lines


@pytest.fixture
def fired(monkeypatch):
    found = []
    monkeypatch.setattr(triggers, "fire", lambda *words: found.append(words))
    return found


def have(*urls):
    for url in urls:
        buildpacks.add(APP, url, 0)


@pytest.mark.parametrize(
    ("position", "expected"),
    [(0, [GO, PHP, RUBY]), (1, [RUBY, GO, PHP]), (2, [GO, RUBY, PHP]), (100, [GO, PHP, RUBY])],
)
def test_one_is_added_at_its_place_or_at_the_end(fs, position, expected):
    have(GO, PHP)
    buildpacks.add(APP, "heroku/ruby", position)
    assert buildpacks.listed(APP) == expected


@pytest.mark.parametrize(
    ("position", "expected"), [(0, [RUBY, PHP]), (1, [RUBY, PHP]), (2, [GO, RUBY]), (100, [GO, PHP, RUBY])]
)
def test_one_is_set_in_place_of_another(fs, position, expected):
    have(GO, PHP)
    buildpacks.set_(APP, "heroku/ruby", position)
    assert buildpacks.listed(APP) == expected


@pytest.mark.parametrize("name", ["heroku/go", GO])
def test_one_is_removed_by_either_name(fs, name):
    have(RUBY, GO)
    buildpacks.remove(APP, name, 0)
    assert buildpacks.listed(APP) == [RUBY]


def test_one_is_removed_by_its_place_though_another_is_the_same(fs, said):
    have(RUBY, GO, RUBY)
    buildpacks.remove(APP, "", 3)
    assert buildpacks.listed(APP) == [RUBY, GO]
    assert said == [(1, f"-----> Removing {RUBY}\n".encode())]


@pytest.mark.parametrize(
    ("held", "name", "position", "refusal"),
    [
        ([RUBY], RUBY, 1, "Please choose either index or Buildpack, but not both"),
        ([RUBY], "", 0, "Must specify a buildpack to remove, either by index or URL"),
        ([], RUBY, 0, "No buildpacks were found, next release on blog will detect buildpack normally"),
        ([RUBY], "heroku/go", 0, "Value not found"),
        ([RUBY], "", 2, "Index not found"),
        ([RUBY], "", -1, "Invalid index specified, the first buildpack is 1: -1"),
    ],
)
def test_what_is_not_there_cannot_be_removed(fs, held, name, position, refusal):
    have(*held)
    with pytest.raises(DokkuError) as refused:
        buildpacks.remove(APP, name, position)
    assert refused.value.text == refusal
    assert buildpacks.listed(APP) == held


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("heroku/ruby", RUBY),
        ("heroku-community/apt", "https://github.com/heroku/heroku-buildpack-apt.git"),
        ("git@github.com:heroku/x.git", "git@github.com:heroku/x.git"),
        ("http://127.0.0.1:8000/packs/x.git", "http://127.0.0.1:8000/packs/x.git"),
        (PHP, PHP),
    ],
)
def test_a_short_name_stands_for_a_url(name, whole):
    assert buildpacks.url(name) == whole


@pytest.mark.parametrize(
    "name", ["ruby", "/ruby", "http://ruby", "https://a/b", "file:///etc/x/y", "https://a.b/c/d\nx", "-x/y z"]
)
def test_what_names_no_buildpack_is_refused(name):
    with pytest.raises(DokkuError, match="Invalid buildpack specified: "):
        buildpacks.url(name)


@given(st.text(max_size=60))
def test_what_is_taken_is_one_word(name):
    """NAME-14"""
    try:
        whole = buildpacks.url(name)
    except DokkuError:
        return
    assert whole.split() == [whole]
    assert buildpacks.url(whole) == whole


def test_credentials_in_a_url_are_used_and_not_shown(fs, said):
    """SEC-4"""
    secret = "https://me:s3cr3t@example.com/packs/x.git"
    have(secret)
    buildpacks.show(APP)
    rows = {row.flag: row.value for row in buildpacks.rows(APP)}
    buildpacks.remove(APP, "https://example.com/packs/x.git", 0)
    assert b"s3cr3t" not in b"".join(line for _, line in said)
    assert rows["--buildpacks-list"] == "https://example.com/packs/x.git"
    assert buildpacks.listed(APP) == []


def test_the_apps_list_replaces_the_file_of_the_source_even_a_link(fs):
    os.symlink("/etc/passwd", f"{TREE}/.buildpacks")
    have(RUBY, GO)
    buildpacks.write_file(APP, TREE)
    assert files.read(f"{TREE}/.buildpacks") == f"{RUBY}\n{GO}\n"
    assert not os.path.islink(f"{TREE}/.buildpacks")
    assert os.stat(f"{TREE}/.buildpacks").st_mode & 0o777 == 0o600


def test_short_names_in_the_file_become_urls_and_all_else_stays(fs):
    files.replace(f"{TREE}/.buildpacks", "# mine\nheroku/ruby\n\nssh://odd/one\n")
    buildpacks.write_file(APP, TREE)
    assert files.read(f"{TREE}/.buildpacks") == f"# mine\n{RUBY}\n\nssh://odd/one\n"


@pytest.mark.parametrize(
    ("present", "text", "expected"),
    [
        ([], {"buildpacks": [{"url": "heroku/ruby"}, {"url": PHP}]}, f"{RUBY}\n{PHP}\n"),
        (["Dockerfile"], {"buildpacks": [{"url": "heroku/ruby"}]}, None),
        ([], {"buildpacks": "none"}, None),
        ([], {"buildpacks": []}, None),
        ([], {"name": "x"}, None),
        ([], '{"buildpacks": [', None),
    ],
)
def test_app_json_may_list_them_where_no_dockerfile_is(fs, present, text, expected):
    files.replace(f"{TREE}/app.json", text if isinstance(text, str) else json.dumps(text))
    for name in present:
        files.replace(f"{TREE}/{name}", "x")
    buildpacks.write_file(APP, TREE)
    assert files.read_beneath(TREE, ".buildpacks") == expected


def test_a_source_without_any_stays_as_it_is(fs):
    buildpacks.write_file(APP, TREE)
    assert os.listdir(TREE) == []


def test_the_apps_stack_comes_before_the_hosts_and_that_before_the_old_variable(fs, fired, said):
    assert buildpacks.stack(APP) == ""
    config.set_values(APP, {"DOKKU_IMAGE": "old:1"})
    assert buildpacks.stack(APP) == "old:1"
    assert b"Deprecated" in said[-1][1]
    buildpacks.set_property("--global", "stack", "host:1")
    assert buildpacks.stack(APP) == "host:1"
    buildpacks.set_property(APP, "stack", "own:1")
    assert buildpacks.stack(APP) == "own:1"
    rows = {row.flag: row.value for row in buildpacks.rows(APP)}
    assert rows["--buildpacks-computed-stack"] == rows["--buildpacks-stack"] == "own:1"
    assert rows["--buildpacks-global-stack"] == "host:1"


def test_apps_whose_stack_changes_are_told(fs, fired):
    os.makedirs(settings.app_dir("shop"))
    properties.write("buildpacks", "shop", "stack", "own:1")
    buildpacks.set_property("--global", "stack", "host:1")
    buildpacks.set_property("shop", "stack", "own:1")
    buildpacks.set_property("shop", "stack", "")
    assert fired == [("post-stack-set", APP, "host:1"), ("post-stack-set", "shop", "host:1")]


@pytest.mark.parametrize(
    ("owner", "key", "value", "refusal"),
    [
        ("--global", "nonsense", "x", "Property cannot be specified globally"),
        (APP, "", "", "No property specified"),
        (APP, "nonsense", "x", "Invalid property specified, valid properties include: stack"),
        (APP, "stack", "-x y", "Invalid stack specified, it must be the name of an image: -x y"),
    ],
)
def test_a_bad_property_is_refused(fs, fired, owner, key, value, refusal):
    with pytest.raises(DokkuError) as refused:
        buildpacks.set_property(owner, key, value)
    assert refused.value.text == refusal
    assert properties.get_all("buildpacks", APP) == {}


def test_properties_of_no_app_are_refused(fs):
    with pytest.raises(AppNotFound):
        buildpacks.set_property("nope", "stack", "x")

import os

import pytest

from lib.base import files, properties, settings


def path(*names: str) -> str:
    return os.path.join(settings.lib(), "config", *names)


@pytest.fixture(autouse=True)
def _memory(fs: object) -> None:
    pass


def test_a_property_is_a_file_with_the_value_and_nothing_else() -> None:
    properties.write("git", "blog", "deploy-branch", "main")
    assert files.read(path("git", "blog", "deploy-branch")) == "main"
    assert os.stat(path("git", "blog", "deploy-branch")).st_mode & 0o777 == 0o600
    assert os.stat(path("git", "blog")).st_mode & 0o777 == 0o755


def test_a_value_comes_back_as_it_was() -> None:
    for value in ("", "a", " a ", "a\nb", "é"):
        properties.write("git", "blog", "key", value)
        assert properties.get("git", "blog", "key", "other") == value


def test_a_line_end_that_an_editor_added_is_not_part_of_the_value() -> None:
    files.replace(path("git", "blog", "deploy-branch"), "main\n")
    assert properties.get("git", "blog", "deploy-branch") == "main"


def test_a_property_that_is_not_set_has_the_default() -> None:
    assert properties.get("git", "blog", "deploy-branch", "master") == "master"
    assert not properties.is_set("git", "blog", "deploy-branch")


def test_global_properties_stand_beside_those_of_apps() -> None:
    properties.write("git", properties.GLOBAL, "deploy-branch", "trunk")
    assert properties.get("git", "blog", "deploy-branch") == ""
    assert files.read(path("git", "--global", "deploy-branch")) == "trunk"


def test_a_deleted_property_is_not_set() -> None:
    properties.write("git", "blog", "key", "x")
    properties.delete("git", "blog", "key")
    properties.delete("git", "blog", "key")
    assert not properties.is_set("git", "blog", "key")


def test_all_properties_are_found_but_no_half_written_file() -> None:
    properties.write("git", "blog", "b", "2")
    properties.write("git", "blog", "a", "1")
    files.replace(path("git", "blog", ".a.17.beef"), "half")
    assert properties.get_all("git", "blog") == {"a": "1", "b": "2"}
    assert properties.get_all("git", "shop") == {}


def test_lists_have_one_value_per_line() -> None:
    properties.write_list("buildpacks", "blog", "buildpacks", ["a", "b c"])
    assert files.read(path("buildpacks", "blog", "buildpacks")) == "a\nb c\n"
    assert properties.get_list("buildpacks", "blog", "buildpacks") == ["a", "b c"]
    assert properties.get_list("buildpacks", "shop", "buildpacks") == []


def test_a_copy_has_everything_in_every_plugin_and_the_first_keeps_its_own() -> None:
    properties.write("git", "blog", "key", "x")
    properties.write("nginx", "blog", "key", "y")
    properties.copy("blog", "shop")
    properties.write("git", "blog", "key", "z")
    assert (properties.get("git", "shop", "key"), properties.get("nginx", "shop", "key")) == ("x", "y")


def test_a_forgotten_app_has_nothing_left() -> None:
    for app in ("blog", "blog2"):
        properties.write("git", app, "key", "x")
        properties.write("nginx", app, "key", "y")
    properties.forget("blog")
    assert properties.get_all("git", "blog") == {}
    assert not os.path.exists(path("nginx", "blog"))
    assert properties.get("git", "blog2", "key") == "x"


def test_forgetting_where_nothing_was_ever_kept_is_fine() -> None:
    properties.forget("blog")
    properties.copy("blog", "shop")

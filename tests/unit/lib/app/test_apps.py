"""Apps: which there are, and how they come and go."""

import os

import pytest

from lib.app import apps
from lib.base import files, locks, log, properties, settings, triggers
from lib.base.errors import AppNotFound, DokkuError, Locked


@pytest.fixture
def fired(monkeypatch):
    """The triggers that were fired, with their arguments; none does anything."""
    names: list[tuple[str, ...]] = []
    monkeypatch.setattr(triggers, "fire", lambda *words: names.append(words))
    monkeypatch.setattr(triggers, "ask", lambda *words: "")
    return names


@pytest.fixture(autouse=True)
def said():
    os.makedirs(settings.root())
    with log.collected() as lines:
        yield lines


def test_apps_are_directories_with_names_that_apps_can_have():
    for name in ("web", "old_name", "1st", ".ssh", "Upper", "with space"):
        os.makedirs(settings.app_dir(name))
    files.replace(settings.app_dir("file"), "")

    assert apps.names() == ["1st", "old_name", "web"]


def test_there_may_be_no_root_at_all():
    os.rmdir(settings.root())

    assert apps.names() == []


@pytest.mark.parametrize("name", ["", "a/b", "../etc", "Upper", "a\n", "-a"])
def test_what_can_not_be_a_name_is_refused_with_one(name):
    with pytest.raises(DokkuError) as refused:
        apps.verify_app_name(name)
    assert refused.value.exit_code == 1


def test_a_name_of_no_app_is_refused_with_twenty():
    with pytest.raises(AppNotFound, match="App nope does not exist") as refused:
        apps.verify_app_name("nope")
    assert refused.value.exit_code == 20


def test_creating_fires_post_create_after_the_directory_is_there(monkeypatch):
    seen = []
    monkeypatch.setattr(
        triggers, "fire", lambda *words: seen.append((words, os.path.isdir(settings.app_dir("web"))))
    )

    apps.create("web")

    assert seen == [(("post-create", "web"), True)]
    assert properties.get("apps", "web", "created-at").isdigit()


def test_a_taken_name_is_refused(fired):
    apps.create("web")
    fired.clear()

    with pytest.raises(DokkuError, match="Name is already taken"):
        apps.create("web")
    assert fired == []


def test_a_first_push_makes_its_app_unless_the_host_forbids_it(fired, monkeypatch):
    monkeypatch.setattr(triggers, "ask", lambda *words: "true")
    with pytest.raises(DokkuError, match="App auto-creation disabled"):
        apps.create_if_missing("web")
    assert not apps.exists("web")

    monkeypatch.setattr(triggers, "ask", lambda *words: "")
    apps.create_if_missing("web")
    assert apps.exists("web")


def test_destroying_fires_what_plugins_clean_up_on_and_leaves_no_directory(fired):
    apps.create("web")
    fired.clear()

    apps.destroy("web")

    assert [words[0] for words in fired] == [
        "pre-delete",
        "scheduler-stop",
        "scheduler-post-delete",
        "post-delete",
    ]
    assert not apps.exists("web")


def test_a_plugin_that_refuses_pre_delete_keeps_the_app(fired, monkeypatch):
    apps.create("web")

    def refuse(*words):
        raise DokkuError("not this one")

    monkeypatch.setattr(triggers, "fire", refuse)
    with pytest.raises(DokkuError, match="not this one"):
        apps.destroy("web")
    assert apps.exists("web")


def test_a_locked_app_is_not_destroyed(fired):
    """LCK-9"""
    apps.create("web")
    locks.lock_manually("web")

    with pytest.raises(Locked):
        apps.destroy("web")
    assert apps.exists("web")


def test_renaming_copies_first_and_destroys_the_old_app_then(fired):
    apps.create("web")
    fired.clear()

    apps.rename("web", "site", False, lambda *words: fired.append(("take-over", *words)))

    names = [words[0] for words in fired]
    assert names.index("post-app-rename-setup") < names.index("take-over") < names.index("pre-delete")
    assert names[-1] == "post-app-rename"
    assert apps.names() == ["site"]


def test_a_name_that_nothing_can_be_started_under_leaves_the_app_as_it_is(fired):
    def refuse(*_):
        raise DokkuError("port is already allocated")

    apps.create("web")
    with pytest.raises(DokkuError, match="already allocated"):
        apps.rename("web", "site", False, refuse)
    assert apps.names() == ["web"]
    assert ("pre-delete", "web", "latest") not in fired


@pytest.mark.parametrize("action", [apps.clone, apps.rename])
def test_the_new_name_is_judged_before_anything_happens(fired, action):
    apps.create("web")
    apps.create("taken")
    fired.clear()
    more = (False, False)

    for new, reason in (
        ("", "Please specify an new app name"),
        ("taken", "already taken"),
        ("A", "App name must"),
    ):
        with pytest.raises(DokkuError, match=reason):
            action("web", new, *more)
    assert fired == []


def test_a_skipped_deploy_is_told_to_the_triggers(fired):
    apps.create("web")

    apps.clone("web", "site", skip_deploy=True, ignore_existing=False)

    assert os.environ["SKIP_REBUILD"] == "true"


def test_an_app_is_deployed_by_its_property_or_by_old_container_files():
    os.makedirs(settings.app_dir("web"))
    assert not apps.is_deployed("web")

    files.replace(os.path.join(settings.app_dir("web"), "CONTAINER.web.1"), "a" * 64)
    assert apps.is_deployed("web")

    properties.write("common", "web", "deployed", "false")
    assert not apps.is_deployed("web")

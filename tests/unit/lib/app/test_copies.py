"""Copying an app: what goes along to a clone, what only to a rename, and what never."""

import os

import pytest

from lib.app import copies
from lib.base import files, properties, settings

OLD, NEW = "blog", "copy"


@pytest.fixture(autouse=True)
def blog(fs):
    os.makedirs(settings.app_dir(NEW))
    for name in ("ENV", "VHOST", "refs/heads/main", "tls/server.key", "hooks/pre-receive", "nginx.conf"):
        files.replace(os.path.join(settings.app_dir(OLD), name), name)
    for name in ("CONTAINER.web.1", "IP.web.1", "PORT.web.1", ".deploy.lock", "cache/object"):
        files.replace(os.path.join(settings.app_dir(OLD), name), name)
    files.replace(os.path.join(settings.data("ps", OLD), "Procfile"), "web: serve\n")
    properties.write("git", OLD, "deploy-branch", "main")
    properties.write("common", OLD, "deployed", "true")


def has(name: str) -> bool:
    return os.path.exists(os.path.join(settings.app_dir(NEW), name))


@pytest.mark.parametrize("all_of_it", [False, True])
def test_code_config_and_properties_go_along(all_of_it):
    copies.copy(OLD, NEW, all_of_it)

    assert has("ENV")
    assert has("refs/heads/main")
    assert files.read(os.path.join(settings.data("ps", NEW), "Procfile")) == "web: serve\n"
    assert properties.get("git", NEW, "deploy-branch") == "main"


@pytest.mark.parametrize("all_of_it", [False, True])
@pytest.mark.parametrize(
    "name", ["CONTAINER.web.1", "IP.web.1", "PORT.web.1", ".deploy.lock", "nginx.conf", "cache", "hooks"]
)
def test_what_serves_the_old_app_stays_there(all_of_it, name):
    copies.copy(OLD, NEW, all_of_it)

    assert not has(name)


@pytest.mark.parametrize(("all_of_it", "there"), [(False, False), (True, True)])
def test_domains_and_certificates_can_only_be_one_apps(all_of_it, there):
    copies.copy(OLD, NEW, all_of_it)

    assert has("VHOST") == there
    assert has("tls/server.key") == there


def test_the_copy_is_not_deployed():
    copies.copy(OLD, NEW, all_of_it=True)

    assert not properties.is_set("common", NEW, "deployed")


@pytest.mark.parametrize("all_of_it", [False, True])
def test_the_copy_of_a_deployed_app_has_had_its_first_deploy(all_of_it):
    copies.copy(OLD, NEW, all_of_it)

    assert properties.get("app-json", NEW, "heroku.postdeploy") == "executed"


def test_the_copy_of_an_app_that_was_never_deployed_has_it_before_it():
    properties.delete("common", OLD, "deployed")
    copies.copy(OLD, NEW, all_of_it=False)

    assert not properties.is_set("app-json", NEW, "heroku.postdeploy")


def test_modes_and_links_are_kept():
    secret = os.path.join(settings.app_dir(OLD), "secret")
    files.replace(secret, "x", mode=0o600)
    os.symlink("secret", os.path.join(settings.app_dir(OLD), "link"))

    copies.copy(OLD, NEW, all_of_it=False)

    assert os.stat(os.path.join(settings.app_dir(NEW), "secret")).st_mode & 0o777 == 0o600
    assert os.readlink(os.path.join(settings.app_dir(NEW), "link")) == "secret"


@pytest.mark.parametrize(("all_of_it", "created"), [(False, "2000"), (True, "1000")])
def test_a_clone_has_a_birthday_of_its_own(all_of_it, created):
    properties.write("apps", OLD, "created-at", "1000")
    properties.write("apps", NEW, "created-at", "2000")

    copies.copy(OLD, NEW, all_of_it)

    assert properties.get("apps", NEW, "created-at") == created

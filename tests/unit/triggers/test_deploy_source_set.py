"""deploy-source-set: what reports know of an app's last deploy."""

from lib.base import properties
from triggers import deploy_source_set

remember, remember_image = (deploy_source_set.HANDLERS[plugin] for plugin in ("apps", "git"))


def test_where_a_deploy_came_from_is_remembered(fs):
    remember("blog", "git-sync", "https://x/y#main")
    assert properties.get("apps", "blog", "deploy-source") == "git-sync"
    assert properties.get("apps", "blog", "deploy-source-metadata") == "https://x/y#main"


def test_an_image_is_remembered_until_the_app_comes_from_elsewhere(fs):
    remember_image("blog", "docker-image", "nginx:1")
    assert properties.get("git", "blog", "source-image") == "nginx:1"
    remember_image("blog", "tar", "--")
    assert not properties.is_set("git", "blog", "source-image")
